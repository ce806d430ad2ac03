// Contract of what explains alerts: passed deadlines, rejected pushes, and the past of a monitor.
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Past : public StoreContract {
 protected:
  PassedDeadline Passed(MonitorKey monitor, absl::Time at) {
    return {.monitor = monitor,
            .at = at,
            .plain = at - absl::Seconds(20),
            .expected_at = at - absl::Seconds(30),
            .judged_at = at + absl::Milliseconds(3),
            .reason = Reason::kCounted,
            .failures = 1,
            .threshold = 3,
            .run_id = "run",
            .held_until = at + absl::Hours(1),
            .settings = "every 1m, \"ü\""};
  }
  RejectedPush Rejected(MonitorKey monitor, absl::Time minute, int64_t count,
                        const std::string& detail = "status is okk") {
    return {.monitor = monitor,
            .minute = minute,
            .newest = minute + absl::Seconds(30),
            .reason = Rejection::kBadParameter,
            .source = "192.0.2.7",
            .count = count,
            .detail = detail};
  }
  void Write(const std::vector<PassedDeadline>& passed) {
    Do([&](Transaction& transaction) { return transaction.AddPassedDeadlines(passed); });
  }
  void Write(const std::vector<RejectedPush>& rejected) {
    Do([&](Transaction& transaction) { return transaction.AddRejectedPushes(rejected); });
  }
  MonitorPast Read(const PastQuery& query) { return store().ReadPast(query).value(); }
};

TEST_P(Past, APassedDeadlineIsReadAsItWasWritten) {
  const MonitorKey key = AddUp("job").key;
  const PassedDeadline one = Passed(key, kStart);
  PassedDeadline two = Passed(key, kStart + absl::Minutes(1));
  two.held_until.reset();
  two.run_id = "";
  Write({one, two, Passed(AddUp("other").key, kStart)});
  EXPECT_THAT(Read({.monitor = key}).passed, ElementsAre(two, one));
  EXPECT_THAT(Read({.monitor = key, .start = kStart, .end = kStart}).passed, ElementsAre(one));
  EXPECT_THAT(Read({.monitor = key, .limit = 1}).passed, ElementsAre(two));
}

TEST_P(Past, APassedDeadlineIsFoundByItsTime) {
  const MonitorKey key = AddUp("job").key;
  PassedDeadline one = Passed(key, kStart);
  one.reason = Reason::kMissed;
  PassedDeadline other = one;
  other.monitor = AddUp("other").key;
  // What was only counted at the same time opened nothing.
  Write({one, Passed(key, kStart), Passed(key, kStart + absl::Minutes(1)), other});
  std::optional<PassedDeadline> found, none;
  Do([&](Transaction& transaction) -> absl::Status {
    found = transaction.FindPassedDeadline(key, kStart).value();
    none = transaction.FindPassedDeadline(key, kStart + absl::Seconds(1)).value();
    return absl::OkStatus();
  });
  EXPECT_EQ(found, one);
  EXPECT_EQ(none, std::nullopt);
}

TEST_P(Past, TheDeadlinesOfManyOpenIncidentsAreFoundInOneTransaction) {
  std::vector<MonitorKey> monitors;
  std::vector<PassedDeadline> failed;
  for (int i = 0; i < 30; ++i) {
    const MonitorIdentity monitor = AddUp(absl::StrCat("job-", i));
    Open(monitor, 1, kStart + absl::Seconds(i));
    PassedDeadline one = Passed(monitor.key, kStart + absl::Seconds(i));
    one.reason = Reason::kMissed;
    if (i % 3 != 0) failed.push_back(one);
    monitors.push_back(monitor.key);
  }
  Write(failed);
  std::vector<PassedDeadline> found;
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_TRUE(transaction.LockMonitors(monitors, LockMode::kWait).ok());
    for (int i = 0; i < 30; ++i) {
      const auto one = transaction.FindPassedDeadline(monitors[i], kStart + absl::Seconds(i));
      if (one.ok() && one->has_value()) found.push_back(**one);
    }
    return absl::OkStatus();
  });
  EXPECT_EQ(found, failed);
}

TEST_P(Past, RejectedPushesOfOneMinuteAreCountedTogether) {
  const MonitorKey key = AddUp("job").key;
  Write({Rejected(key, kStart, 2), Rejected(key, kStart, 3, "newer")});
  Write({Rejected(key, kStart, 4, "newest")});
  RejectedPush other = Rejected(key, kStart, 1);
  other.source = "192.0.2.8";
  Write({other, Rejected(key, kStart + absl::Minutes(1), 7)});
  EXPECT_THAT(Read({.monitor = key}).rejected,
              ElementsAre(Rejected(key, kStart + absl::Minutes(1), 7), other,
                          Rejected(key, kStart, 9, "newest")));
  RejectedPush later = Rejected(key, kStart, 1, "last");
  later.newest = kStart + absl::Seconds(50);
  Write({later});
  const auto since = [&](int seconds) {
    const PastQuery query = {.monitor = key,
                             .start = kStart + absl::Seconds(seconds),
                             .end = kStart + absl::Seconds(59)};
    return Read(query).rejected.size();
  };
  EXPECT_EQ(since(30), 2u);
  EXPECT_EQ(since(31), 1u);
  EXPECT_EQ(since(51), 0u);
}

TEST_P(Past, OfRejectedPushesTheNewestAreKept) {
  const MonitorKey key = AddUp("job").key;
  const MonitorKey other = AddUp("other").key;
  Write({Rejected(other, kStart - absl::Hours(200), 1)});
  std::vector<RejectedPush> many;
  for (int i = 0; i < kMaxRejectedRows + 5; ++i) {
    many.push_back(Rejected(key, kStart + absl::Minutes(i), 1));
  }
  Write(many);
  const std::vector<RejectedPush> kept = Read({.monitor = key, .limit = 2000}).rejected;
  ASSERT_THAT(kept, SizeIs(kMaxRejectedRows));
  EXPECT_EQ(kept.back().minute, kStart + absl::Minutes(5));
  EXPECT_THAT(Read({.monitor = other}).rejected, SizeIs(1));
}

TEST_P(Past, TheOwnerOfATokenIsKnownAlsoWhenItHasExpired) {
  const MonitorKey key = AddUp("job").key;
  Do([&](Transaction& transaction) -> absl::Status {
    if (absl::Status status = transaction.AddToken(key, TokenOf(9), kStart); !status.ok()) {
      return status;
    }
    return transaction.ExpireTokens(key, kStart + absl::Seconds(1));
  });
  std::vector<std::optional<MonitorKey>> owners;
  Do([&](Transaction& transaction) {
    auto found = transaction.FindTokenOwners({TokenOf(8), TokenOf(9)});
    if (found.ok()) owners = *found;
    return found.status();
  });
  EXPECT_THAT(owners, ElementsAre(std::nullopt, std::optional<MonitorKey>(key)));
}

TEST_P(Past, IncidentsEventsAndDeliveriesAreThoseOfTheMonitorAndTheTime) {
  const ChannelKey channel = AddChannel("mail");
  const MonitorIdentity job = AddUp("job");
  const MonitorIdentity other = AddUp("other");
  const Outage outage = Open(job, 1, kStart + absl::Hours(1));
  Open(other, 1, kStart + absl::Hours(1));
  Delivery delivery = MakeDelivery("msg_1", channel, job.key, 1, kStart + absl::Hours(1));
  delivery.events = {outage.firing};
  AddDelivery(delivery);

  const MonitorPast past = Read({.monitor = job.key, .start = kStart});
  ASSERT_THAT(past.incidents, SizeIs(1));
  EXPECT_EQ(past.incidents[0].key, outage.incident.key);
  EXPECT_EQ(past.incidents[0].message, "disk full");
  ASSERT_THAT(past.events, SizeIs(1));
  EXPECT_EQ(past.events[0].key, outage.firing);
  EXPECT_EQ(past.events[0].definition.id, "job");
  ASSERT_THAT(past.deliveries, SizeIs(1));
  EXPECT_EQ(past.deliveries[0].delivery.id, "msg_1");
  EXPECT_EQ(past.deliveries[0].channel_id, "mail");
  EXPECT_EQ(past.deliveries[0].monitor_id, "job");

  const MonitorPast before = Read({.monitor = job.key, .end = kStart});
  EXPECT_THAT(before.incidents, IsEmpty());
  EXPECT_THAT(before.events, IsEmpty());
  EXPECT_THAT(before.deliveries, IsEmpty());
  // It is open still, though it began before.
  const MonitorPast later = Read({.monitor = job.key, .start = kStart + absl::Hours(9)});
  EXPECT_THAT(later.incidents, SizeIs(1));
  EXPECT_THAT(later.events, IsEmpty());
}

TEST_P(Past, AnIncidentThatIsOverIsFoundUntilItsEnd) {
  const MonitorIdentity job = AddUp("job");
  Outage outage = Open(job, 1, kStart);
  outage.incident.closed_at = kStart + absl::Minutes(10);
  outage.incident.resolution = Resolution::kRecovered;
  Do([&](Transaction& transaction) { return transaction.SaveIncident(outage.incident); });
  const auto since = [&](absl::Duration after) {
    return Read({.monitor = job.key, .start = kStart + after}).incidents.size();
  };
  EXPECT_EQ(since(absl::Minutes(10)), 1u);
  EXPECT_EQ(since(absl::Minutes(11)), 0u);
}

TEST_P(Past, WhatIsOldIsDropped) {
  const RetentionPolicy policy;
  const MonitorKey key = AddUp("job").key;
  const absl::Time dropped = kStart - policy.heartbeats - absl::Seconds(1);
  Write({Passed(key, dropped), Passed(key, kStart - policy.heartbeats + absl::Seconds(1))});
  Write({Rejected(key, kStart - policy.rejected_pushes - absl::Seconds(1), 1),
         Rejected(key, kStart - policy.rejected_pushes + absl::Seconds(1), 2)});
  EXPECT_TRUE(store().Maintain(policy, kStart).ok());
  EXPECT_THAT(Read({.monitor = key}).passed, SizeIs(1));
  EXPECT_THAT(Read({.monitor = key}).rejected, SizeIs(1));
}

TEST_P(Past, WhatIsKeptOfAMonitorGoesWithIt) {
  const RetentionPolicy policy;
  const MonitorKey key = AddUp("job").key;
  Write({Passed(key, kStart)});
  Write({Rejected(key, kStart, 1)});
  MonitorDefinition deleted = Load(key).definition;
  deleted.deleted_at = kStart;
  Do([&](Transaction& transaction) { return transaction.SaveDefinition(deleted).status(); });
  EXPECT_TRUE(store().Maintain(policy, kStart + policy.deleted_monitors + absl::Seconds(1)).ok());
  EXPECT_THAT(Read({.monitor = key}).passed, IsEmpty());
  EXPECT_THAT(Read({.monitor = key}).rejected, IsEmpty());
}

TEST_P(Past, WhatIsRolledBackLeavesNothing) {
  const MonitorKey key = AddUp("job").key;
  const absl::Status status =
      store().Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        EXPECT_TRUE(transaction.AddPassedDeadlines({Passed(key, kStart)}).ok());
        EXPECT_TRUE(transaction.AddRejectedPushes({Rejected(key, kStart, 1)}).ok());
        return absl::AbortedError("no");
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(Read({.monitor = key}).passed, IsEmpty());
  EXPECT_THAT(Read({.monitor = key}).rejected, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Stores, Past, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
