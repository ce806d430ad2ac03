// Contract of storms: what of too many alerts of a channel is gathered into a digest.
#include "services/core/domain/gathering.h"

#include "absl/strings/str_cat.h"
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kSecond = absl::Seconds(1);

class Gathering : public StoreContract {
 protected:
  Gathering() : channel_(AddChannel("chat")) {}

  // One alert of each of `count` new monitors, from number `first` on.
  void Storm(int first, int count, absl::Time at) {
    for (int i = first; i < first + count; ++i) {
      const MonitorIdentity monitor = AddUp(absl::StrCat("m", i));
      const Outage outage = Open(monitor, 1, at);
      Delivery delivery = MakeDelivery(absl::StrCat("d", i), channel_, monitor.key, 1, at);
      delivery.events = {outage.firing};
      delivery.may_gather = true;
      AddDelivery(delivery);
      monitors_.push_back(monitor.key);
      incidents_.push_back(outage.incident.key);
    }
  }

  std::vector<std::string> LeaseIds(absl::Time now) { return IdsOf(Lease(now)); }

  // Leases what is there and reports it delivered; how many there were.
  size_t Deliver(absl::Time now) {
    const std::vector<LeasedDelivery> leased = Lease(now);
    for (const LeasedDelivery& one : leased)
      Report(one.delivery.id, DeliveryResult::kDelivered, now);
    return leased.size();
  }

  void Report(const std::string& id, DeliveryResult result, absl::Time now) {
    const DeliveryReport report = {
        .lease_id = "lease",
        .delivery_id = id,
        .result = result,
        .outcome = result == DeliveryResult::kDelivered ? "ok" : "status_5xx",
        .http_status = result == DeliveryResult::kDelivered ? 204 : 503,
        .retry_after = kSecond};
    ASSERT_TRUE(store().ApplyReports({report}, now).ok());
  }

  const absl::Time end_ = kStart + kDefaultGroupWait;
  ChannelKey channel_;
  std::vector<MonitorKey> monitors_;
  std::vector<IncidentKey> incidents_;
};

TEST_P(Gathering, TenGoAtOnceEachByItself) {
  Storm(0, 10, kStart);
  EXPECT_THAT(Lease(kStart), SizeIs(10));
  EXPECT_EQ(store().NextDeliveryAt().value() > kStart, true);
}

TEST_P(Gathering, MoreWaitForTheEndOfTheWindowAndGoAsOne) {
  Storm(0, 40, kStart);
  EXPECT_EQ(Deliver(kStart), 10u);
  EXPECT_THAT(Lease(end_ - absl::Microseconds(1)), IsEmpty());
  EXPECT_EQ(store().NextDeliveryAt().value(), end_);
  const std::vector<LeasedDelivery> leased = Lease(end_);
  ASSERT_THAT(leased, SizeIs(1));
  const Delivery& digest = leased[0].delivery;
  EXPECT_EQ(digest.type, DeliveryType::kDigest);
  EXPECT_EQ(digest.attempts, 1);
  EXPECT_EQ(digest.monitor, 0);
  ASSERT_TRUE(digest.digest.has_value());
  EXPECT_THAT(digest.digest->counts,
              ElementsAre(DigestFacts::Count{EventType::kFiring, Cause::kReportedDown, 30}));
  EXPECT_THAT(leased[0].events, SizeIs(kNamedInDigest));
  EXPECT_EQ(leased[0].channel.id, "chat");
  EXPECT_EQ(Find("d20").told_by, digest.id);
  EXPECT_EQ(Find("d20").state, DeliveryState::kPending);
  EXPECT_THAT(Lease(end_), IsEmpty()) << "what it tells is not sent besides";
}

TEST_P(Gathering, ADigestSaysOfWhatBeganAndEndedBeforeItThatItIsOver) {
  Storm(0, 10, kStart);
  for (int i = 10; i < 25; ++i) {
    const MonitorIdentity monitor = AddUp(absl::StrCat("m", i));
    const Outage outage = Open(monitor, 1, kStart);
    Incident closed = outage.incident;
    closed.closed_at = kStart + kSecond;
    const AlertEvent end =
        MakeEvent(Load(monitor.key), closed, EventType::kResolved, 2, kStart + kSecond);
    EventKey resolved = 0;
    Do([&](Transaction& transaction) -> absl::Status {
      const absl::StatusOr<EventKey> added = transaction.AddEvent(end);
      if (added.ok()) resolved = *added;
      return added.status();
    });
    Delivery both = MakeDelivery(absl::StrCat("d", i), channel_, monitor.key, 2, kStart);
    both.events = {outage.firing, resolved};
    both.may_gather = true;
    AddDelivery(both);
  }
  Deliver(kStart);
  const std::vector<LeasedDelivery> leased = Lease(end_);
  ASSERT_THAT(leased, SizeIs(1));
  ASSERT_TRUE(leased[0].delivery.digest.has_value());
  EXPECT_THAT(leased[0].delivery.digest->counts,
              ElementsAre(DigestFacts::Count{EventType::kResolved, Cause::kReportedDown, 15}));
  ASSERT_THAT(leased[0].events, SizeIs(15));
  EXPECT_EQ(leased[0].events[0].type, EventType::kResolved);
}

TEST_P(Gathering, ADigestIsUrgentWhileAnyOfItsIncidentsIsOpen) {
  Storm(0, 25, kStart);
  Deliver(kStart);
  const Monitor last = Load(monitors_.back());
  Do([&](Transaction& transaction) -> absl::Status {
    Incident closed = *last.state.incident;
    closed.closed_at = kStart + kSecond;
    const absl::Status saved = transaction.SaveIncident(closed);
    if (!saved.ok()) return saved;
    StateChange change;
    change.monitor = monitors_.back();
    change.state = last.state;
    change.state.state = State::kUp;
    change.state.incident.reset();
    return transaction.SaveStates({change});
  });
  const std::vector<LeasedDelivery> leased = Lease(end_);
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_TRUE(leased[0].incident_open);
}

TEST_P(Gathering, WhatADigestTellsIsDeliveredWithIt) {
  Storm(0, 30, kStart);
  Deliver(kStart);
  const std::string digest = LeaseIds(end_).at(0);
  Report(digest, DeliveryResult::kRetry, end_);
  EXPECT_EQ(Find("d15").state, DeliveryState::kPending);
  EXPECT_EQ(Find("d15").told_by, digest);
  EXPECT_THAT(LeaseIds(end_ + kSecond), ElementsAre(digest)) << "the same again";
  Report(digest, DeliveryResult::kDelivered, end_ + kSecond);
  const Delivery told = Find("d15");
  EXPECT_EQ(told.state, DeliveryState::kDelivered);
  EXPECT_EQ(told.finished_at, end_ + kSecond);
  EXPECT_EQ(told.last_outcome, "ok");
  EXPECT_EQ(told.told_by, digest);
  EXPECT_TRUE(told.lease_id.empty());
}

TEST_P(Gathering, WhatADeadDigestToldIsDead) {
  Storm(0, 30, kStart);
  Deliver(kStart);
  const std::string digest = LeaseIds(end_).at(0);
  Report(digest, DeliveryResult::kDead, end_);
  EXPECT_EQ(Find("d29").state, DeliveryState::kDead);
}

TEST_P(Gathering, WhatFollowsWaitsForTheDigest) {
  Storm(0, 25, kStart);
  Deliver(kStart);
  const std::string digest = LeaseIds(end_).at(0);
  AddDelivery(MakeDelivery("after", channel_, monitors_[24], 2, end_));
  EXPECT_THAT(Lease(end_ + kSecond), IsEmpty());
  Report(digest, DeliveryResult::kDelivered, end_ + kSecond);
  EXPECT_THAT(LeaseIds(end_ + kSecond), ElementsAre("after"));
}

TEST_P(Gathering, ADigestThatIsDeliveredLateHasToldAllTheSame) {
  Storm(0, 25, kStart);
  Deliver(kStart);
  const std::string digest = LeaseIds(end_).at(0);
  AddDelivery(MakeDelivery("after", channel_, monitors_[24], 2, end_));
  const absl::Time again = end_ + absl::Seconds(61);
  EXPECT_THAT(IdsOf(Lease(again, 100, 100, "another")), ElementsAre(digest));
  const absl::Time until = Find(digest).leased_until;
  Report(digest, DeliveryResult::kDelivered, again + kSecond);
  EXPECT_EQ(Find("d15").state, DeliveryState::kDelivered);
  EXPECT_EQ(Find("d24").state, DeliveryState::kDelivered);
  // The other may be sending it once more.
  EXPECT_THAT(Lease(again + kSecond), IsEmpty());
  EXPECT_THAT(LeaseIds(until), ElementsAre("after"));
}

TEST_P(Gathering, WhatADigestTellsIsNotWithdrawn) {
  Storm(0, 25, kStart);
  Deliver(kStart);
  ASSERT_THAT(LeaseIds(end_), SizeIs(1));
  Do([&](Transaction& transaction) -> absl::Status {
    const std::vector<FiringDelivery> firings = transaction.FindFirings(incidents_[24]).value();
    EXPECT_THAT(firings, SizeIs(1));
    EXPECT_TRUE(firings.at(0).held);
    EXPECT_THAT(transaction.Withdraw({firings.at(0).delivery}, end_).value(), IsEmpty());
    return absl::OkStatus();
  });
}

TEST_P(Gathering, WhatWaitsToBeGatheredCanBeWithdrawn) {
  Storm(0, 25, kStart);
  Deliver(kStart);
  Do([&](Transaction& transaction) -> absl::Status {
    const std::vector<FiringDelivery> firings = transaction.FindFirings(incidents_[24]).value();
    EXPECT_FALSE(firings.at(0).held);
    EXPECT_THAT(transaction.Withdraw({firings.at(0).delivery}, kStart).value(), SizeIs(1));
    return absl::OkStatus();
  });
  EXPECT_EQ(Lease(end_).at(0).delivery.digest->counts.at(0).events, 14);
}

TEST_P(Gathering, WhatIsLeftOfAStormThatIsOverGoesByItself) {
  Storm(0, 18, kStart);
  EXPECT_EQ(Deliver(kStart), 10u);
  EXPECT_THAT(Lease(end_), SizeIs(8));
}

TEST_P(Gathering, WhatMayNotBeGatheredPassesAStorm) {
  Storm(0, 50, kStart);
  Deliver(kStart);
  AddDelivery(MakeDelivery("critical", channel_, AddUp("critical").key, 1, kStart));
  EXPECT_THAT(LeaseIds(kStart), ElementsAre("critical"));
}

TEST_P(Gathering, AStormOfOneChannelHoldsUpNoOther) {
  Storm(0, 50, kStart);
  Deliver(kStart);
  Delivery other = MakeDelivery("other", AddChannel("mail"), AddUp("other").key, 1, kStart);
  other.may_gather = true;
  AddDelivery(other);
  EXPECT_THAT(LeaseIds(kStart), ElementsAre("other"));
}

TEST_P(Gathering, EachWindowOfALongStormGivesOneDigest) {
  Storm(0, 30, kStart);
  Deliver(kStart);
  EXPECT_EQ(Deliver(end_), 1u);
  Storm(30, 30, end_ + kSecond);
  EXPECT_THAT(Lease(end_ + kSecond), IsEmpty());
  EXPECT_EQ(Deliver(end_ + kDefaultGroupWait), 1u);
  EXPECT_EQ(Find("d59").state, DeliveryState::kDelivered);
}

TEST_P(Gathering, AFollowerOfWhatIsUnderWayIsNotGathered) {
  Storm(0, 12, kStart);
  const std::vector<std::string> leased = LeaseIds(kStart);  // d0 to d9, under way
  Storm(12, 20, kStart);
  Delivery follower = MakeDelivery("follower", channel_, monitors_[0], 2, kStart);
  follower.may_gather = true;
  AddDelivery(follower);
  const std::vector<LeasedDelivery> digest = Lease(end_);
  EXPECT_EQ(digest.at(0).delivery.type, DeliveryType::kDigest);
  EXPECT_EQ(Find("follower").told_by, "");
}

TEST_P(Gathering, AChannelSaysHowItGathers) {
  Do([&](Transaction& transaction) -> absl::Status {
    Channel channel = transaction.LockChannel(project(), "chat").value().value();
    EXPECT_EQ(channel.group_limit, 10);
    EXPECT_EQ(channel.group_wait, absl::Seconds(10));
    channel.group_limit = 3;
    channel.group_wait = absl::Seconds(60);
    return transaction.SaveChannel(channel);
  });
  Storm(0, 20, kStart);
  EXPECT_EQ(Deliver(kStart), 3u);
  EXPECT_EQ(store().NextDeliveryAt().value(), kStart + absl::Seconds(60));
  EXPECT_EQ(Lease(kStart + absl::Seconds(60)).at(0).delivery.digest->counts.at(0).events, 17);
}

TEST_P(Gathering, ADeletedChannelGivesUpWhatItsDigestTells) {
  Storm(0, 30, kStart);
  Deliver(kStart);
  ASSERT_THAT(LeaseIds(end_), SizeIs(1));
  Do([&](Transaction& transaction) { return transaction.DeleteChannel(channel_, end_); });
  EXPECT_EQ(Find("d20").state, DeliveryState::kDead);
  EXPECT_EQ(store().NextDeliveryAt().value(), absl::InfiniteFuture());
}

INSTANTIATE_TEST_SUITE_P(Stores, Gathering, ::testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
