// Contract of what is read of a monitor's past.
#include "services/core/store/history.h"

#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kDay = absl::Hours(24);

class History : public StoreContract {
 protected:
  MonitorHistory Read(MonitorKey monitor, absl::Time since = kStart - kDay, int limit = 100) {
    return dynamic_cast<HistoryStore&>(store())
        .ReadHistory({.monitor = monitor,
                      .since = since,
                      .signals_since = since,
                      .incidents = limit,
                      .states = limit,
                      .signals = limit})
        .value();
  }
  void Move(MonitorKey monitor, State state, absl::Time at) {
    StateChange change;
    change.monitor = monitor;
    change.state = Load(monitor).state;
    change.state.state = state;
    change.state.changed_at = at;
    Save(change);
  }
  void AddHeartbeat(MonitorKey monitor, absl::Time at, HeartbeatKind kind, uint64_t push_id) {
    StoredHeartbeat stored;
    stored.monitor = monitor;
    stored.heartbeat.at = at;
    stored.heartbeat.kind = kind;
    stored.heartbeat.push_id = push_id;
    stored.heartbeat.value = 1.5;
    stored.heartbeat.run_duration = absl::Seconds(2);
    Do([&](Transaction& transaction) { return transaction.AddHeartbeats({stored}); });
  }
  void Close(Outage outage, absl::Time at) {
    outage.incident.closed_at = at;
    outage.incident.resolution = Resolution::kRecovered;
    Do([&](Transaction& transaction) { return transaction.SaveIncident(outage.incident); });
  }
};

TEST_P(History, TimesOfPausesAndOfNeverHavingReportedAreNotedWhenTheyEnd) {
  Monitor fresh = UpMonitor("job");
  fresh.state = MonitorState();
  fresh.state.changed_at = kStart;
  const MonitorKey monitor = Add(fresh).key;
  const auto second = [](int n) { return kStart + absl::Seconds(n); };
  EXPECT_THAT(Read(monitor).states, IsEmpty());
  Move(monitor, State::kUp, second(10));
  Move(monitor, State::kPaused, second(20));
  EXPECT_THAT(Read(monitor).states, ElementsAre(Interval{kStart, second(10)}));
  Move(monitor, State::kNew, second(30));
  Move(monitor, State::kDown, second(40));
  Move(monitor, State::kUp, second(50));
  EXPECT_THAT(Read(monitor).states,
              ElementsAre(Interval{second(30), second(40)}, Interval{second(20), second(30)},
                          Interval{kStart, second(10)}));
  EXPECT_THAT(Read(monitor, second(30)).states, ElementsAre(Interval{second(30), second(40)}));
  EXPECT_THAT(Read(monitor, kStart, 1).states, ElementsAre(Interval{second(30), second(40)}));
}

TEST_P(History, WhatIsRolledBackWasNoPause) {
  const MonitorKey monitor = AddUp("job").key;
  Move(monitor, State::kPaused, kStart);
  const absl::Status refused = store().Transact(TransactionClass::kAdmin, [&](Transaction& t) {
    StateChange change;
    change.monitor = monitor;
    change.state.state = State::kUp;
    change.state.changed_at = kStart + absl::Seconds(5);
    const absl::Status saved = t.SaveStates({change});
    return saved.ok() ? absl::AbortedError("no") : saved;
  });
  EXPECT_TRUE(absl::IsAborted(refused));
  EXPECT_THAT(Read(monitor).states, IsEmpty());
}

TEST_P(History, IncidentsAreThoseThatWereOpenSinceThen) {
  const MonitorIdentity monitor = AddUp("job");
  const MonitorIdentity other = AddUp("other");
  Close(Open(monitor, 1, kStart), kStart + absl::Seconds(10));
  Close(Open(monitor, 2, kStart + absl::Seconds(20)), kStart + absl::Seconds(30));
  Close(Open(other, 1, kStart), kStart + absl::Seconds(10));
  Open(monitor, 3, kStart + absl::Seconds(40));
  const std::vector<Incident> all = Read(monitor.key).incidents;
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[0].opened_at, kStart + absl::Seconds(40));
  EXPECT_EQ(all[0].closed_at, std::nullopt);
  EXPECT_EQ(all[0].cause, Cause::kReportedDown);
  EXPECT_EQ(all[2].closed_at, kStart + absl::Seconds(10));
  EXPECT_EQ(all[2].resolution, Resolution::kRecovered);
  EXPECT_THAT(Read(monitor.key, kStart + absl::Seconds(10)).incidents, SizeIs(2));
  EXPECT_THAT(Read(monitor.key, kStart + kDay).incidents, SizeIs(1));
  EXPECT_THAT(Read(monitor.key, kStart, 2).incidents, SizeIs(2));
}

TEST_P(History, SignalsAreUpsAndDownsNewestFirst) {
  const MonitorKey monitor = AddUp("job").key;
  AddHeartbeat(monitor, kStart, HeartbeatKind::kUp, 1);
  AddHeartbeat(monitor, kStart + absl::Seconds(1), HeartbeatKind::kStart, 2);
  AddHeartbeat(monitor, kStart + absl::Seconds(2), HeartbeatKind::kLog, 3);
  AddHeartbeat(monitor, kStart + absl::Seconds(3), HeartbeatKind::kDown, 4);
  AddHeartbeat(monitor, kStart + kDay, HeartbeatKind::kUp, 5);
  AddHeartbeat(AddUp("other").key, kStart, HeartbeatKind::kUp, 6);
  const auto signal = [](absl::Time at, HeartbeatKind kind) {
    return Signal{.at = at, .kind = kind, .value = 1.5, .run_duration = absl::Seconds(2)};
  };
  EXPECT_THAT(Read(monitor).signals,
              ElementsAre(signal(kStart + kDay, HeartbeatKind::kUp),
                          signal(kStart + absl::Seconds(3), HeartbeatKind::kDown),
                          signal(kStart, HeartbeatKind::kUp)));
  EXPECT_THAT(Read(monitor, kStart + absl::Seconds(3)).signals, SizeIs(2));
  EXPECT_THAT(Read(monitor, kStart, 1).signals,
              ElementsAre(signal(kStart + kDay, HeartbeatKind::kUp)));
}

TEST_P(History, PausesAreKeptAsLongAsIncidentsAndGoWithTheirMonitor) {
  const MonitorKey monitor = AddUp("job").key;
  Move(monitor, State::kPaused, kStart);
  Move(monitor, State::kUp, kStart + absl::Seconds(10));
  const RetentionPolicy policy;
  ASSERT_TRUE(store().Maintain(policy, kStart + policy.incidents).ok());
  EXPECT_THAT(Read(monitor).states, SizeIs(1));
  ASSERT_TRUE(store().Maintain(policy, kStart + policy.incidents + absl::Minutes(1)).ok());
  EXPECT_THAT(Read(monitor).states, IsEmpty());

  const MonitorKey gone = AddUp("gone").key;
  Move(gone, State::kPaused, kStart);
  Move(gone, State::kUp, kStart + absl::Seconds(10));
  MonitorDefinition definition = Load(gone).definition;
  definition.deleted_at = kStart;
  Do([&](Transaction& transaction) { return transaction.SaveDefinition(definition).status(); });
  ASSERT_TRUE(store().Maintain(policy, kStart + policy.deleted_monitors + absl::Hours(1)).ok());
  EXPECT_THAT(Read(gone).states, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Stores, History, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
