// Contract of the push path: the fast write, tokens, and what was recorded before.
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kSecond = absl::Seconds(1);

class PushPath : public StoreContract {
 protected:
  std::vector<StoredHeartbeat> History(const MonitorIdentity& monitor) {
    HeartbeatQuery query;
    query.monitor = monitor.key;
    return store().ListHeartbeats(query).value();
  }

  std::vector<MonitorKey> Record(std::vector<SteadyUp> newest, std::vector<SteadyUp> folded = {}) {
    return store().RecordSteadyUps(0, newest, folded).value();
  }

  // That an up is not for the fast path after `spoil` changed the monitor.
  void ExpectRefused(absl::FunctionRef<void(MonitorState&)> spoil) {
    Monitor monitor = UpMonitor("spoiled");
    spoil(monitor.state);
    const MonitorIdentity identity = Add(monitor);
    EXPECT_THAT(Record({UpOf(identity, kStart + kSecond, 7)}), IsEmpty());
    EXPECT_EQ(Load(identity.key).state.last_at, monitor.state.last_at);
    EXPECT_THAT(History(identity), IsEmpty());
  }
};

TEST_P(PushPath, RecordsAnUpOfASteadyMonitor) {
  const MonitorIdentity monitor = AddUp("job");
  EXPECT_THAT(Record({UpOf(monitor, kStart + kSecond, 7)}), ElementsAre(monitor.key));
  const MonitorState state = Load(monitor.key).state;
  EXPECT_EQ(state.last_at, kStart + kSecond);
  EXPECT_EQ(state.last_kind, HeartbeatKind::kUp);
  EXPECT_EQ(state.last_source, Source::kHttp);
  EXPECT_EQ(state.state, State::kUp);
  const std::vector<StoredHeartbeat> history = History(monitor);
  ASSERT_THAT(history, SizeIs(1));
  EXPECT_EQ(history[0].monitor, monitor.key);
  EXPECT_EQ(history[0].reason, Reason::kRecorded);
  EXPECT_EQ(history[0].heartbeat.kind, HeartbeatKind::kUp);
  EXPECT_EQ(history[0].heartbeat.at, kStart + kSecond);
  EXPECT_EQ(history[0].heartbeat.push_id, 7u);
  EXPECT_EQ(history[0].heartbeat.source, Source::kHttp);
  EXPECT_EQ(history[0].heartbeat.message, "");
  EXPECT_FALSE(history[0].heartbeat.value.has_value());
  EXPECT_FALSE(history[0].heartbeat.exit_status.has_value());
}

TEST_P(PushPath, KeepsMessageValueAndExitStatus) {
  const MonitorIdentity first = AddUp("first"), second = AddUp("second");
  SteadyUp plain = UpOf(first, kStart + kSecond, 1);
  SteadyUp full = UpOf(second, kStart + kSecond, ~uint64_t{0});
  full.message = "l'œuf, \"quoted\" {x}\\";
  full.value = -0.1;
  full.exit_status = 0;
  EXPECT_THAT(Record({plain, full}), SizeIs(2));
  const Heartbeat heartbeat = History(second).at(0).heartbeat;
  EXPECT_EQ(heartbeat.message, full.message);
  EXPECT_EQ(heartbeat.value, -0.1);
  EXPECT_EQ(heartbeat.exit_status, 0);
  EXPECT_EQ(heartbeat.push_id, ~uint64_t{0});
  EXPECT_EQ(History(first).at(0).heartbeat.message, "");
}

TEST_P(PushPath, ReturnsTheMonitorsThatQualifiedInAscendingOrder) {
  std::vector<SteadyUp> ups;
  std::vector<MonitorKey> expected;
  for (int i = 0; i < 12; ++i) {
    MonitorIdentity monitor = AddUp("job-" + std::to_string(i));
    if (i % 3 == 0) {
      monitor.version += 1000;
    } else {
      expected.push_back(monitor.key);
    }
    ups.push_back(UpOf(monitor, kStart + kSecond, 100 + i));
  }
  EXPECT_EQ(Record(ups), expected);
}

TEST_P(PushPath, RefusesAnotherVersionOfTheDefinition) {
  MonitorIdentity monitor = AddUp("job");
  monitor.version += 1;
  EXPECT_THAT(Record({UpOf(monitor, kStart + kSecond, 7)}), IsEmpty());
  EXPECT_THAT(History(monitor), IsEmpty());
}

TEST_P(PushPath, RefusesMonitorsThatAreNotSteady) {
  ExpectRefused([](MonitorState& state) { state.state = State::kPaused; });
}
TEST_P(PushPath, RefusesMonitorsThatAreNew) {
  ExpectRefused([](MonitorState& state) {
    state.state = State::kNew;
    state.last_at = absl::InfinitePast();
  });
}
TEST_P(PushPath, RefusesMonitorsWithFailures) {
  ExpectRefused([](MonitorState& state) { state.failures = 1; });
}
TEST_P(PushPath, RefusesMonitorsWithMisses) {
  ExpectRefused([](MonitorState& state) { state.misses = 1; });
}
TEST_P(PushPath, RefusesMonitorsWithOpenRuns) {
  ExpectRefused(
      [](MonitorState& state) { state.runs.push_back({.id = "r", .started_at = kStart}); });
}
TEST_P(PushPath, RefusesUpsOlderThanTheNewestHeartbeat) {
  ExpectRefused([](MonitorState& state) { state.last_at = kStart + 2 * kSecond; });
}

TEST_P(PushPath, RefusesThePushThatMovedTheMonitorLast) {
  const MonitorIdentity monitor = AddUp("job");
  EXPECT_THAT(Record({UpOf(monitor, kStart + kSecond, 7)}), SizeIs(1));
  EXPECT_THAT(Record({UpOf(monitor, kStart + 2 * kSecond, 7)}), IsEmpty());
  EXPECT_THAT(History(monitor), SizeIs(1));
}

TEST_P(PushPath, RefusesThePushThatSaveStatesNamed) {
  const MonitorIdentity monitor = AddUp("job");
  StateChange change;
  change.monitor = monitor.key;
  change.state = Load(monitor.key).state;
  change.last_push_id = 9;
  Save(change);
  EXPECT_THAT(Record({UpOf(monitor, kStart + kSecond, 9)}), IsEmpty());
  change.last_push_id = 0;  // leaves it alone
  Save(change);
  EXPECT_THAT(Record({UpOf(monitor, kStart + kSecond, 9)}), IsEmpty());
  EXPECT_THAT(Record({UpOf(monitor, kStart + kSecond, 10)}), SizeIs(1));
}

TEST_P(PushPath, AddsFoldedUpsOfMonitorsThatQualifiedOnly) {
  const MonitorIdentity good = AddUp("good");
  MonitorIdentity stale = AddUp("stale");
  stale.version += 1;
  EXPECT_THAT(Record({UpOf(good, kStart + 3 * kSecond, 3), UpOf(stale, kStart + 3 * kSecond, 6)},
                     {UpOf(good, kStart + kSecond, 1), UpOf(good, kStart + 2 * kSecond, 2),
                      UpOf(stale, kStart + kSecond, 4)}),
              ElementsAre(good.key));
  EXPECT_EQ(Load(good.key).state.last_at, kStart + 3 * kSecond);
  const std::vector<StoredHeartbeat> history = History(good);
  ASSERT_THAT(history, SizeIs(3));
  EXPECT_EQ(history[0].heartbeat.push_id, 3u);
  EXPECT_EQ(history[2].heartbeat.push_id, 1u);
  EXPECT_THAT(History(stale), IsEmpty());
}

TEST_P(PushPath, TakesNothingAndUnknownMonitors) {
  EXPECT_THAT(Record({}), IsEmpty());
  EXPECT_THAT(Record({UpOf({.key = 4711, .version = 1}, kStart, 1)}), IsEmpty());
}

TEST_P(PushPath, BothCommittersWork) {
  const MonitorIdentity monitor = AddUp("job");
  for (int committer : {0, 1}) {
    const absl::StatusOr<std::vector<MonitorKey>> recorded = store().RecordSteadyUps(
        committer, {UpOf(monitor, kStart + (committer + 1) * kSecond, committer + 1)}, {});
    EXPECT_THAT(recorded.value(), SizeIs(1));
  }
}

TEST_P(PushPath, ResolvesTokensInTheOrderAsked) {
  const MonitorIdentity first = AddUp("first"), second = AddUp("second");
  Do([&](Transaction& transaction) -> absl::Status {
    const absl::Status status = transaction.AddToken(first.key, TokenOf(1), kStart);
    return status.ok() ? transaction.AddToken(second.key, TokenOf(2), kStart) : status;
  });
  Do([&](Transaction& transaction) -> absl::Status {
    const auto matches =
        transaction.ResolveTokens({TokenOf(2), TokenOf(9), TokenOf(1)}, kStart).value();
    EXPECT_THAT(matches, SizeIs(3));
    EXPECT_EQ(matches[0]->monitor, second.key);
    EXPECT_EQ(matches[0]->version, second.version);
    EXPECT_EQ(matches[0]->expires_at, absl::InfiniteFuture());
    EXPECT_FALSE(matches[1].has_value());
    EXPECT_EQ(matches[2]->monitor, first.key);
    return absl::OkStatus();
  });
}

TEST_P(PushPath, TokensExpireAndRotationShortensOnlyLongerLives) {
  const MonitorIdentity monitor = AddUp("job");
  const absl::Time soon = kStart + absl::Hours(1), later = kStart + absl::Hours(24);
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_TRUE(transaction.AddToken(monitor.key, TokenOf(1), kStart).ok());
    EXPECT_TRUE(transaction.ExpireTokens(monitor.key, soon).ok());
    EXPECT_TRUE(transaction.AddToken(monitor.key, TokenOf(2), kStart).ok());
    EXPECT_TRUE(transaction.ExpireTokens(monitor.key, later).ok());
    return absl::OkStatus();
  });
  Do([&](Transaction& transaction) -> absl::Status {
    auto before = transaction.ResolveTokens({TokenOf(1), TokenOf(2)}, soon - kSecond).value();
    EXPECT_EQ(before[0]->expires_at, soon);
    EXPECT_EQ(before[1]->expires_at, later);
    auto after = transaction.ResolveTokens({TokenOf(1), TokenOf(2)}, soon).value();
    EXPECT_FALSE(after[0].has_value());
    EXPECT_TRUE(after[1].has_value());
    return absl::OkStatus();
  });
}

TEST_P(PushPath, TokensOfDeletedMonitorsAreUnknown) {
  const MonitorIdentity monitor = AddUp("job");
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_TRUE(transaction.AddToken(monitor.key, TokenOf(1), kStart).ok());
    Monitor loaded = transaction.LockMonitors({monitor.key}, LockMode::kWait).value().front();
    loaded.definition.deleted_at = kStart;
    return transaction.SaveDefinition(loaded.definition).status();
  });
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_FALSE(transaction.ResolveTokens({TokenOf(1)}, kStart).value()[0].has_value());
    return absl::OkStatus();
  });
}

TEST_P(PushPath, FindsWhatWasRecordedBeforeWithinTheRetryWindow) {
  const MonitorIdentity monitor = AddUp("job"), other = AddUp("other");
  EXPECT_THAT(Record({UpOf(monitor, kStart + kSecond, 7)}), SizeIs(1));
  Do([&](Transaction& transaction) -> absl::Status {
    const absl::Time at = kStart + kSecond;
    EXPECT_THAT(transaction
                    .FindRecorded({{monitor.key, 7, at},
                                   {monitor.key, 7, at + absl::Seconds(15)},
                                   {monitor.key, 7, at - absl::Seconds(15)},
                                   {monitor.key, 7, at + absl::Seconds(16)},
                                   {monitor.key, 8, at},
                                   {other.key, 7, at}})
                    .value(),
                ElementsAre(true, true, true, false, false, false));
    EXPECT_THAT(transaction.FindRecorded({}).value(), IsEmpty());
    return absl::OkStatus();
  });
}

INSTANTIATE_TEST_SUITE_P(Stores, PushPath, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
