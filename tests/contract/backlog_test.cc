// Contract of backlogs: what becomes of the deliveries of one monitor and channel when many wait.
#include <string>
#include <vector>

#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr MonitorKey kMonitor = 7;

class Backlog : public StoreContract {
 protected:
  static std::string Id(int64_t sequence) { return "msg_" + std::to_string(sequence); }

  // Odd sequences are FIRING, even ones RESOLVED, each made a second after the one before.
  Delivery Make(int64_t sequence, MonitorKey monitor = kMonitor) {
    const absl::Time at = kStart + absl::Seconds(sequence);
    Delivery delivery = MakeDelivery(Id(sequence), channel_, monitor, sequence, at);
    delivery.type =
        sequence % 2 == 1 ? DeliveryType::kIncidentOpened : DeliveryType::kIncidentResolved;
    delivery.events = {1000 + sequence};
    return delivery;
  }
  void AddRange(int64_t first, int64_t last) {
    for (int64_t i = first; i <= last; ++i) AddDelivery(Make(i));
  }
  std::vector<std::string> InState(DeliveryState state) {
    DeliveryQuery query;
    query.project = project();
    query.state = state;
    const std::vector<DeliveryView> views = store().ListDeliveries(query).value();
    std::vector<std::string> ids;
    for (const DeliveryView& view : views) ids.insert(ids.begin(), view.delivery.id);
    return ids;
  }
  std::vector<std::string> Pending() { return InState(DeliveryState::kPending); }
  ReportEffects Report(const std::string& id, DeliveryResult result, absl::Time now,
                       absl::Duration retry_after = absl::Seconds(1)) {
    DeliveryReport report;
    report.lease_id = "lease";
    report.delivery_id = id;
    report.result = result;
    report.outcome = "status_5xx";
    report.retry_after = retry_after;
    return store().ApplyReports({report}, now).value();
  }

  const ChannelKey channel_ = AddChannel("pager");
  const absl::Time later_ = kStart + absl::Hours(1);
};

TEST_P(Backlog, TenMayWait) {
  AddRange(1, 10);
  EXPECT_THAT(Pending(), SizeIs(10));
  EXPECT_THAT(InState(DeliveryState::kSuperseded), IsEmpty());
}

TEST_P(Backlog, BeyondTenTheOldestFiringAndTheNewestAreKept) {
  AddRange(1, 11);
  EXPECT_THAT(Pending(), ElementsAre("msg_1", "msg_11"));
  EXPECT_THAT(InState(DeliveryState::kSuperseded), SizeIs(9));
  EXPECT_EQ(Find("msg_5").finished_at, kStart + absl::Seconds(11));
  EXPECT_EQ(Find("msg_5").attempts, 0);
  EXPECT_EQ(Find("msg_1").skipped, 0);
  EXPECT_EQ(Find("msg_11").skipped, 9);
}

TEST_P(Backlog, TheReceiverHearsTheOldestFiringAndThenTheNewest) {
  AddRange(1, 12);  // the twelfth waits beside the two that were kept
  const std::vector<LeasedDelivery> first = Lease(later_);
  EXPECT_THAT(IdsOf(first), ElementsAre("msg_1"));
  EXPECT_EQ(first[0].delivery.skipped, 0);
  Report("msg_1", DeliveryResult::kDelivered, later_);
  const std::vector<LeasedDelivery> second = Lease(later_);
  ASSERT_THAT(IdsOf(second), ElementsAre("msg_11"));
  EXPECT_EQ(second[0].delivery.skipped, 9);
  Report("msg_11", DeliveryResult::kDelivered, later_);
  EXPECT_THAT(IdsOf(Lease(later_)), ElementsAre("msg_12"));
}

TEST_P(Backlog, WhatWasLeftOutAddsUp) {
  AddRange(1, 20);
  EXPECT_THAT(Pending(), ElementsAre("msg_1", "msg_20"));
  EXPECT_EQ(Find("msg_20").skipped, 18);
  EXPECT_EQ(Find("msg_11").state, DeliveryState::kSuperseded);
}

TEST_P(Backlog, ManyAddedAtOnceAreCutToo) {
  std::vector<Delivery> deliveries;
  for (int64_t i = 1; i <= 15; ++i) deliveries.push_back(Make(i));
  Do([&](Transaction& transaction) { return transaction.AddDeliveries(deliveries); });
  EXPECT_THAT(Pending(), ElementsAre("msg_1", "msg_15"));
  EXPECT_EQ(Find("msg_15").skipped, 13);
}

TEST_P(Backlog, WhatIsBeingSentIsNeverSuperseded) {
  AddRange(2, 2);  // a resolution, of which only the lease saves it
  EXPECT_THAT(IdsOf(Lease(kStart + absl::Seconds(2))), ElementsAre("msg_2"));
  AddRange(3, 12);
  EXPECT_THAT(Pending(), SizeIs(11));  // ten wait
  AddRange(13, 13);
  EXPECT_THAT(Pending(), ElementsAre("msg_2", "msg_3", "msg_13"));
  // An expired lease is no proof that nobody is sending.
  const absl::Time expired = kStart + absl::Seconds(63);
  EXPECT_THAT(IdsOf(Lease(expired)), ElementsAre("msg_2"));
  Report("msg_2", DeliveryResult::kDelivered, expired);
  EXPECT_EQ(Find("msg_2").state, DeliveryState::kDelivered);
  EXPECT_THAT(IdsOf(Lease(expired)), ElementsAre("msg_3"));
}

TEST_P(Backlog, WhatWasTriedInVainMayBeLeftOut) {
  AddRange(2, 2);
  EXPECT_THAT(IdsOf(Lease(kStart + absl::Seconds(2))), ElementsAre("msg_2"));
  Report("msg_2", DeliveryResult::kRetry, kStart + absl::Seconds(2));
  AddRange(3, 12);
  EXPECT_THAT(Pending(), ElementsAre("msg_3", "msg_12"));
  EXPECT_EQ(Find("msg_12").skipped, 9);
  EXPECT_THAT(IdsOf(Lease(later_)), ElementsAre("msg_3"));
}

TEST_P(Backlog, WhoeverIsFirstAfterwardsIsDueAtOnce) {
  AddRange(2, 2);
  EXPECT_THAT(IdsOf(Lease(kStart + absl::Seconds(2))), ElementsAre("msg_2"));
  Report("msg_2", DeliveryResult::kRetry, kStart + absl::Seconds(2), absl::Hours(1));
  AddRange(3, 12);
  EXPECT_THAT(IdsOf(Lease(kStart + absl::Seconds(12))), ElementsAre("msg_3"));
}

TEST_P(Backlog, EachMonitorAndChannelHasItsOwn) {
  const ChannelKey other = AddChannel("other");
  std::vector<Delivery> deliveries;
  for (int64_t i = 1; i <= 10; ++i) {
    deliveries.push_back(Make(i));
    deliveries.push_back(Make(i, kMonitor + 1));
    deliveries.back().id += "_monitor";
    deliveries.push_back(Make(i));
    deliveries.back().id += "_channel";
    deliveries.back().channel = other;
  }
  Do([&](Transaction& transaction) { return transaction.AddDeliveries(deliveries); });
  EXPECT_THAT(InState(DeliveryState::kSuperseded), IsEmpty());
  AddRange(11, 11);
  EXPECT_THAT(InState(DeliveryState::kSuperseded), SizeIs(9));
  EXPECT_EQ(Find("msg_5_monitor").state, DeliveryState::kPending);
  EXPECT_EQ(Find("msg_5_channel").state, DeliveryState::kPending);
}

TEST_P(Backlog, WhatIsAboutNoMonitorIsKept) {
  for (int64_t i = 1; i <= 12; ++i) AddDelivery(Make(i, /*monitor=*/0));
  EXPECT_THAT(Pending(), SizeIs(12));
}

TEST_P(Backlog, ARedeliveryIsNeitherCountedNorLeftOut) {
  AddRange(1, 1);
  EXPECT_THAT(Lease(kStart + absl::Seconds(1)), SizeIs(1));
  Report("msg_1", DeliveryResult::kDead, kStart + absl::Seconds(1));
  Do([&](Transaction& transaction) -> absl::Status {
    Delivery dead = transaction.LockDelivery(project(), "msg_1").value().value();
    dead.state = DeliveryState::kPending;
    dead.redelivery = true;
    dead.finished_at.reset();
    return transaction.SaveDelivery(dead);
  });
  AddRange(2, 11);
  EXPECT_THAT(Pending(), SizeIs(11));
  AddRange(12, 12);
  EXPECT_THAT(Pending(), ElementsAre("msg_1", "msg_3", "msg_12"));
}

TEST_P(Backlog, ATransactionThatFailsCutsNothing) {
  AddRange(1, 10);
  const absl::Status status =
      store().Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        EXPECT_TRUE(transaction.AddDeliveries({Make(11)}).ok());
        EXPECT_TRUE(transaction.LockDelivery(project(), "msg_11").value().has_value());
        return absl::AbortedError("on second thoughts");
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(Pending(), SizeIs(10));
}

TEST_P(Backlog, AReminderThatWaitsIsSupersededByWhateverIsNewer) {
  AddDelivery(Make(1));
  Delivery reminder = Make(2);
  reminder.type = DeliveryType::kIncidentReminder;
  AddDelivery(reminder);
  EXPECT_THAT(Pending(), ElementsAre("msg_1", "msg_2"));
  Delivery again = Make(3);
  again.type = DeliveryType::kIncidentReminder;
  AddDelivery(again);
  EXPECT_THAT(Pending(), ElementsAre("msg_1", "msg_3"));
  EXPECT_EQ(Find("msg_2").state, DeliveryState::kSuperseded);
  EXPECT_EQ(Find("msg_2").finished_at, kStart + absl::Seconds(3));
  AddDelivery(Make(4));
  EXPECT_THAT(Pending(), ElementsAre("msg_1", "msg_4"));
  EXPECT_EQ(Find("msg_4").skipped, 0);
}

TEST_P(Backlog, RemindersAddedAtOnceWithWhatIsNewerAreSupersededToo) {
  std::vector<Delivery> deliveries = {Make(1), Make(2), Make(4)};
  deliveries[1].type = DeliveryType::kIncidentReminder;
  Do([&](Transaction& transaction) { return transaction.AddDeliveries(deliveries); });
  EXPECT_THAT(Pending(), ElementsAre("msg_1", "msg_4"));
}

TEST_P(Backlog, AReminderOfAnotherMonitorOrChannelWaitsOn) {
  Delivery reminder = Make(2);
  reminder.type = DeliveryType::kIncidentReminder;
  AddDelivery(reminder);
  Delivery elsewhere = Make(3);
  elsewhere.channel = AddChannel("mail");
  AddDelivery(elsewhere);
  AddDelivery(Make(4, kMonitor + 1));
  EXPECT_THAT(InState(DeliveryState::kSuperseded), IsEmpty());
}

TEST_P(Backlog, AReminderThatIsBeingSentIsKeptAndWhatFollowsAReminderInVainIsDueAtOnce) {
  Delivery reminder = Make(2);
  reminder.type = DeliveryType::kIncidentReminder;
  AddDelivery(reminder);
  EXPECT_THAT(IdsOf(Lease(kStart + absl::Seconds(2))), ElementsAre("msg_2"));
  Delivery again = Make(3);
  again.type = DeliveryType::kIncidentReminder;
  AddDelivery(again);
  EXPECT_THAT(Pending(), ElementsAre("msg_2", "msg_3"));
  Report("msg_2", DeliveryResult::kRetry, kStart + absl::Seconds(4), absl::Hours(1));
  AddDelivery(Make(5));
  EXPECT_THAT(Pending(), ElementsAre("msg_5"));
  EXPECT_THAT(IdsOf(Lease(kStart + absl::Seconds(5))), ElementsAre("msg_5"));
}

INSTANTIATE_TEST_SUITE_P(Stores, Backlog, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
