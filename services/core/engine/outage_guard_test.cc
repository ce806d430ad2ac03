// When Tocsin was blind, what may be judged, and who is told.
#include "services/core/engine/outage_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "services/core/domain/testing/builders.h"
#include "services/core/engine/testing/outage_fixture.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using OutageGuardTest = testing::OutageTest;

TEST_F(OutageGuardTest, ATouchIsStampedBeforeItIsQueued) {
  EXPECT_EQ(guard_.NewestTouch(), absl::InfinitePast());
  TouchAfter(absl::Seconds(1));
  EXPECT_EQ(guard_.NewestTouch(), start_ + absl::Seconds(1));
  EXPECT_THAT(StoredGaps(), IsEmpty());
}

TEST_F(OutageGuardTest, AGapIsRecordedWithTheTouchThatEndsItAndCounted) {
  TouchAfter(absl::ZeroDuration());
  TouchAfter(absl::Seconds(30));
  EXPECT_THAT(StoredGaps(), ElementsAre(testing::CoreGap(start_, start_ + absl::Seconds(30))));
  EXPECT_EQ(metrics_.own_outage.Value(), 30);
  EXPECT_EQ(metrics_.newest_outage.Value(),
            absl::ToDoubleSeconds(clock_.Now() - absl::UnixEpoch()));
}

TEST_F(OutageGuardTest, AStoppedRecorderFailsTheTouch) {
  recorder_.Stop();
  EXPECT_FALSE(guard_.TouchNow().ok());
  EXPECT_EQ(guard_.NewestTouch(), absl::InfinitePast());
}

TEST_F(OutageGuardTest, ATimeWithoutGatewaysIsAGapFromTheDisconnectOn) {
  int woken = 0;
  guard_.OnUrgent([&] { ++woken; });
  guard_.GatewayConnected();
  guard_.GatewayConnected();
  EXPECT_EQ(woken, 1);
  guard_.GatewayHeard(clock_.Now());
  EXPECT_EQ(woken, 2) << "the first one ever";
  TouchAfter(absl::ZeroDuration());
  guard_.GatewayDisconnected();
  clock_.Advance(absl::Milliseconds(100));
  guard_.GatewayHeard(clock_.Now());  // one is left
  guard_.GatewayDisconnected();
  TouchAfter(absl::Milliseconds(300));
  guard_.GatewayConnected();
  EXPECT_EQ(woken, 3);
  TouchAfter(absl::Milliseconds(50));
  EXPECT_THAT(StoredGaps(), ElementsAre(Gap{.kind = GapKind::kGateway,
                                            .start = start_ + absl::Milliseconds(100),
                                            .end = start_ + absl::Milliseconds(400)}));
}

TEST_F(OutageGuardTest, AGatewayThatComesBackAndIsHeardALittleLaterEndsOneGap) {
  guard_.GatewayConnected();
  guard_.GatewayHeard(clock_.Now());
  TouchAfter(absl::ZeroDuration());
  guard_.GatewayDisconnected();
  for (int i = 0; i < 10; ++i) TouchAfter(absl::Milliseconds(500));
  guard_.GatewayConnected();
  TouchAfter(absl::Milliseconds(10));
  guard_.GatewayHeard(clock_.Now());
  TouchAfter(absl::Milliseconds(10));
  EXPECT_THAT(StoredGaps(),
              ElementsAre(Gap{
                  .kind = GapKind::kGateway, .start = start_, .end = start_ + absl::Seconds(5)}));
}

TEST_F(OutageGuardTest, AConnectionThatIsOpenAndSilentIsNoGateway) {
  guard_.GatewayConnected();
  guard_.GatewayHeard(clock_.Now());
  for (int i = 0; i < 20; ++i) TouchAfter(absl::Milliseconds(500));
  EXPECT_EQ(guard_.Judge()->http_up_to, start_);
  EXPECT_EQ(guard_.Judge()->up_to, clock_.Now() - absl::Milliseconds(20));
  int woken = 0;
  guard_.OnUrgent([&] { ++woken; });
  guard_.GatewayHeard(clock_.Now());
  EXPECT_EQ(woken, 1) << "the gap is to be recorded at once";
  TouchAfter(absl::ZeroDuration());
  EXPECT_THAT(StoredGaps(),
              ElementsAre(Gap{
                  .kind = GapKind::kGateway, .start = start_, .end = start_ + absl::Seconds(10)}));
}

TEST_F(OutageGuardTest, NothingIsJudgedThatAPushWhichWaitsInAGatewayMayHaveMet) {
  const int stream = 0, other = 0;
  guard_.GatewayConnected();
  guard_.GatewayHeard(clock_.Now());
  TouchAfter(absl::ZeroDuration());
  clock_.Advance(absl::Milliseconds(500));
  const absl::Time now = clock_.Now();
  guard_.GatewayHolds(&stream, now - absl::Milliseconds(300));
  guard_.GatewayHolds(&other, now - absl::Milliseconds(100));
  guard_.GatewayHeard(now);
  TouchAfter(absl::Milliseconds(50));
  EXPECT_EQ(guard_.Judge()->http_up_to, now - absl::Milliseconds(300));
  EXPECT_EQ(guard_.Judge()->up_to, clock_.Now() - absl::Milliseconds(20));
  EXPECT_THAT(StoredGaps(), IsEmpty());

  guard_.GatewayHolds(&stream, absl::InfiniteFuture());
  EXPECT_EQ(guard_.Judge()->http_up_to, now - absl::Milliseconds(100));
  guard_.GatewayHolds(&other, absl::InfiniteFuture());
  EXPECT_EQ(guard_.Judge()->http_up_to, now);
}

TEST_F(OutageGuardTest, WhatAGatewayThatFrozeHasSaidDoesNotHideWhatIsDueForLong) {
  const int stream = 0;
  guard_.GatewayConnected();
  guard_.GatewayHeard(clock_.Now());
  TouchAfter(absl::ZeroDuration());
  guard_.GatewayHolds(&stream, clock_.Now());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(guard_.Judge()->http_up_to, start_ - absl::Milliseconds(i == 0 ? 20 : 0));
    guard_.GatewayHeard(clock_.Now());  // another gateway
    TouchAfter(absl::Milliseconds(500));
  }
  EXPECT_EQ(guard_.Judge()->http_up_to, clock_.Now() - absl::Milliseconds(500));
}

TEST_F(OutageGuardTest, WhatIsKnownOfGatewaysOutlivesTheInstancesThatHeardThem) {
  guard_.GatewayHeard(clock_.Now());
  TouchAfter(absl::ZeroDuration());
  OutageGuard other(store_, recorder_, clock_, {.instance = "b"}, metrics_);
  clock_.Advance(absl::Hours(23));
  EXPECT_TRUE(other.TouchNow().ok());
  clock_.Advance(absl::Hours(23));  // the touch of "a" is forgotten now
  EXPECT_TRUE(other.TouchNow().ok());
  EXPECT_LE(other.Judge()->http_up_to, start_);
  other.GatewayHeard(clock_.Now());
  EXPECT_TRUE(other.TouchNow().ok());
  EXPECT_THAT(StoredGaps(),
              ::testing::Contains(Gap{
                  .kind = GapKind::kGateway, .start = start_, .end = start_ + absl::Hours(46)}));
}

TEST_F(OutageGuardTest, GatewaysThatComeAndGoDoNotHoldUpWhatIsHeardOtherwise) {
  for (int i = 0; i < 40; ++i) {
    guard_.GatewayConnected();
    guard_.GatewayHeard(clock_.Now());
    TouchAfter(absl::Milliseconds(500));
    guard_.GatewayDisconnected();
    TouchAfter(absl::Milliseconds(500));
  }
  EXPECT_EQ(guard_.Judge()->up_to, clock_.Now() - absl::Milliseconds(20));
}

TEST_F(OutageGuardTest, GapsWithoutEndDoNotKeepADeadJobFromBeingFound) {
  for (int i = 0; i < 40; ++i) TouchAfter(absl::Seconds(3));
  EXPECT_THAT(StoredGaps(), SizeIs(39));
  EXPECT_GE(guard_.Judge()->up_to, clock_.Now() - absl::Seconds(15));
}

TEST_F(OutageGuardTest, ShedTimeIsAGapOnceAndHoldsUpNoJudgement) {
  TouchAfter(absl::ZeroDuration());
  clock_.Advance(absl::Seconds(1));
  guard_.ReportShed(absl::Milliseconds(400));
  TouchAfter(absl::Milliseconds(200));
  TouchAfter(absl::Milliseconds(500));
  EXPECT_THAT(StoredGaps(), ElementsAre(Gap{.kind = GapKind::kShed,
                                            .start = start_ + absl::Milliseconds(600),
                                            .end = start_ + absl::Seconds(1)}));
  EXPECT_EQ(guard_.Judge()->up_to, clock_.Now() - absl::Milliseconds(20));
}

TEST_F(OutageGuardTest, AnOwnTouchThatTheDatabaseLostIsAGapFromWhatItShows) {
  TouchAfter(absl::ZeroDuration());
  TouchAfter(absl::Seconds(1));
  Run([&](Transaction& transaction) {
    return transaction.SaveTouch({.instance = "a", .at = start_, .gateways = 0});
  });
  TouchAfter(absl::Milliseconds(500));
  EXPECT_THAT(StoredGaps(),
              ElementsAre(testing::CoreGap(start_, start_ + absl::Milliseconds(1500))));
  TouchAfter(absl::Milliseconds(500));
  EXPECT_THAT(StoredGaps(), SizeIs(1));
}

TEST_F(OutageGuardTest, NothingIsJudgedBeforeTheFirstTouch) {
  EXPECT_EQ(guard_.Judge()->up_to, absl::InfinitePast());
}

TEST_F(OutageGuardTest, NothingIsJudgedThatIsLaterThanTheNewestTouchOrUnsettled) {
  TouchAfter(absl::ZeroDuration());
  EXPECT_EQ(guard_.Judge()->up_to, start_ - absl::Milliseconds(20));
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(guard_.Judge()->up_to, start_);
}

TEST_F(OutageGuardTest, ATouchOfAnotherInstanceCounts) {
  Run([&](Transaction& transaction) {
    return transaction.SaveTouch({.instance = "b", .at = start_, .gateways = 0});
  });
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(guard_.Judge()->up_to, start_);
}

TEST_F(OutageGuardTest, NothingIsJudgedUntilTheRetryTimeAfterAGap) {
  TouchAfter(absl::ZeroDuration());
  TouchAfter(absl::Seconds(10));
  const OutageGuard::Judgement during = *guard_.Judge();
  EXPECT_EQ(during.up_to, start_ - absl::Seconds(6)) << "a push that waits is no older";
  EXPECT_EQ(during.wait_until, start_ + absl::Seconds(16));
  for (int touch = 0; touch < 6; ++touch) TouchAfter(absl::Seconds(1));
  const OutageGuard::Judgement after = *guard_.Judge();
  EXPECT_EQ(after.up_to, clock_.Now() - absl::Milliseconds(20));
  EXPECT_THAT(*after.gaps, SizeIs(1));
  EXPECT_EQ(guard_.Gaps(), after.gaps);
}

TEST_F(OutageGuardTest, GapsOfOthersAreSeenBesideThoseAlreadyRead) {
  TouchAfter(absl::ZeroDuration());
  TouchAfter(absl::Seconds(10));
  EXPECT_THAT(*guard_.Judge()->gaps, SizeIs(1));
  const Gap late = testing::CoreGap(start_, start_ + absl::Seconds(9));
  const Gap next = testing::CoreGap(start_ + absl::Seconds(90), start_ + absl::Seconds(99));
  Run([&](Transaction& transaction) { return transaction.AddGap(late); });
  Run([&](Transaction& transaction) { return transaction.AddGap(next); });
  clock_.Advance(absl::Seconds(90));
  const Gap own = testing::CoreGap(start_, start_ + absl::Seconds(10));
  EXPECT_THAT(*guard_.Judge()->gaps, ElementsAre(late, own, next));
  EXPECT_THAT(*guard_.Judge()->gaps, ElementsAre(late, own, next));
}

TEST_F(OutageGuardTest, ReadersSeeAGapWithTheNextTouchAlsoWhenNothingIsJudged) {
  TouchAfter(absl::ZeroDuration());
  TouchAfter(absl::Seconds(30));
  EXPECT_EQ(*guard_.Gaps(), StoredGaps());
  EXPECT_THAT(*guard_.Gaps(), SizeIs(1));
  const Gap of_another = testing::CoreGap(clock_.Now(), clock_.Now() + absl::Seconds(3));
  Run([&](Transaction& transaction) { return transaction.AddGap(of_another); });
  TouchAfter(absl::Milliseconds(500));
  EXPECT_THAT(*guard_.Gaps(), SizeIs(2));
}

TEST_F(OutageGuardTest, AGapIsToldOnceToTheDefaultChannelsThatAreEnabled) {
  AddChannel("all", true, false);
  AddChannel("broken", true, true);
  AddChannel("payments", false, false);
  AddMonitor("backup");
  TouchAfter(absl::ZeroDuration());
  TouchAfter(absl::Seconds(61));
  EXPECT_TRUE(guard_.TellGaps().ok());
  EXPECT_THAT(Deliveries(), IsEmpty());  // pushes may be waiting
  clock_.Advance(absl::Seconds(6));
  EXPECT_TRUE(guard_.TellGaps().ok());
  EXPECT_TRUE(guard_.TellGaps().ok());
  const std::vector<DeliveryView> deliveries = Deliveries();
  ASSERT_THAT(deliveries, SizeIs(1));
  EXPECT_EQ(deliveries[0].channel_id, "all");
  const Delivery& delivery = deliveries[0].delivery;
  EXPECT_EQ(delivery.type, DeliveryType::kSystemBlind);
  ASSERT_TRUE(delivery.blind.has_value());
  EXPECT_EQ(delivery.blind->start, start_);
  EXPECT_EQ(delivery.blind->end, start_ + absl::Seconds(61));
  EXPECT_EQ(delivery.blind->unverified_count, 1);
  EXPECT_THAT(delivery.blind->unverified_monitors, ElementsAre("projects/default/monitors/backup"));
}

TEST_F(OutageGuardTest, AGapIsToldBeforeTheMonitorsThatItExcusedAreJudged) {
  AddChannel("all", true, false);
  AddMonitor("backup");
  TouchAfter(absl::ZeroDuration());
  TouchAfter(absl::Seconds(61));
  // The upkeep comes every two seconds; the hold on judging lasts six.
  TouchAfter(absl::Seconds(2));
  TouchAfter(absl::Seconds(2));
  EXPECT_LT(guard_.Judge()->up_to, start_);
  EXPECT_TRUE(guard_.TellGaps().ok());
  EXPECT_THAT(Deliveries(), SizeIs(1));
}

TEST_F(OutageGuardTest, WhileNoGatewayIsConnectedNothingLaterIsJudgedOfWhatComesOverHttp) {
  guard_.GatewayConnected();
  guard_.GatewayHeard(clock_.Now());
  TouchAfter(absl::ZeroDuration());
  guard_.GatewayDisconnected();
  for (int i = 0; i < 10; ++i) TouchAfter(absl::Seconds(1));
  EXPECT_LE(guard_.Judge()->http_up_to, start_);
  EXPECT_GT(guard_.Judge()->up_to, start_ + absl::Seconds(9));
}

TEST_F(OutageGuardTest, ManyMonitorsAreCountedButFewNamed) {
  AddChannel("all", true, false);
  for (int i = 0; i < 2000; ++i) AddMonitor("m" + std::to_string(i));
  TouchAfter(absl::ZeroDuration());
  TouchAfter(absl::Seconds(61));
  clock_.Advance(absl::Seconds(6));
  EXPECT_TRUE(guard_.TellGaps().ok());
  const std::vector<DeliveryView> deliveries = Deliveries();
  ASSERT_THAT(deliveries, SizeIs(1));
  EXPECT_EQ(deliveries[0].delivery.blind->unverified_count, 2000);
  EXPECT_THAT(deliveries[0].delivery.blind->unverified_monitors, SizeIs(20));
}

TEST_F(OutageGuardTest, OverlappingGapsAreToldAsOne) {
  AddChannel("all", true, false);
  AddMonitor("backup");
  for (const int end : {61, 62}) {
    const Gap gap = testing::CoreGap(start_, start_ + absl::Seconds(end));
    Run([&](Transaction& transaction) { return transaction.AddGap(gap); });
  }
  clock_.Advance(absl::Seconds(70));
  EXPECT_TRUE(guard_.TellGaps().ok());
  const std::vector<DeliveryView> deliveries = Deliveries();
  ASSERT_THAT(deliveries, SizeIs(1));
  EXPECT_EQ(deliveries[0].delivery.blind->end, start_ + absl::Seconds(62));
  EXPECT_EQ(deliveries[0].delivery.blind->unverified_count, 1);
}

TEST_F(OutageGuardTest, WhatIsShedInManyPiecesIsToldTogetherAndDelaysNoOther) {
  AddChannel("all", true, false);
  AddMonitor("backup");
  TouchAfter(absl::ZeroDuration());
  clock_.Advance(absl::Seconds(50));
  TouchAfter(absl::ZeroDuration());
  const absl::Time first = clock_.Now();
  for (int i = 0; i < 590; ++i) {
    guard_.ReportShed(absl::Milliseconds(100));
    TouchAfter(absl::Milliseconds(500));
  }
  clock_.Advance(absl::Seconds(4));
  EXPECT_TRUE(guard_.TellGaps().ok());
  ASSERT_THAT(Deliveries(), SizeIs(1)) << "the outage before";
  clock_.Advance(absl::Seconds(10));
  EXPECT_TRUE(guard_.TellGaps().ok());
  const std::vector<DeliveryView> deliveries = Deliveries();
  ASSERT_THAT(deliveries, SizeIs(2));
  // The first piece belongs to that outage.
  EXPECT_EQ(deliveries[0].delivery.blind->start, first + absl::Milliseconds(400));
}

TEST_F(OutageGuardTest, SheddingThatGoesOnAfterAnOutageDoesNotDelayItsNotice) {
  AddChannel("all", true, false);
  AddMonitor("backup");
  TouchAfter(absl::ZeroDuration());
  TouchAfter(absl::Seconds(50));
  for (int i = 0; i < 20; ++i) {
    // Without a break, each from where the last one ended.
    guard_.ReportShed(absl::Milliseconds(500));
    TouchAfter(absl::Milliseconds(500));
  }
  EXPECT_TRUE(guard_.TellGaps().ok());
  EXPECT_THAT(Deliveries(), SizeIs(1));
}

TEST_F(OutageGuardTest, AnOutageLongerThanAMonitorMayBeSilentIsToldThoughItWasHeardSince) {
  AddChannel("all", true, false);
  AddMonitor("backup");  // once a minute
  TouchAfter(absl::Seconds(1));
  TouchAfter(absl::Seconds(90));
  Run([&](Transaction& transaction) -> absl::Status {
    return transaction.SaveStates({{.monitor = **transaction.FindMonitor(project_, "backup"),
                                    .state = testing::UpSince(clock_.Now() + absl::Seconds(1)),
                                    .last_push_id = 0,
                                    .sweep_at = absl::InfiniteFuture()}});
  });
  clock_.Advance(absl::Seconds(4));
  EXPECT_TRUE(guard_.TellGaps().ok());
  const std::vector<DeliveryView> deliveries = Deliveries();
  ASSERT_THAT(deliveries, SizeIs(1));
  EXPECT_EQ(deliveries[0].delivery.blind->unverified_count, 0);
}

TEST_F(OutageGuardTest, AMonitorThatWasExcusedBeforeMakesNoNewsOfAGapThatHasNothingToDoWithIt) {
  AddChannel("all", true, false);
  Monitor monthly = {.definition = testing::MinuteMonitor(),
                     .state = testing::UpSince(clock_.Now() - absl::Hours(48))};
  monthly.definition.project = project_;
  monthly.definition.id = "monthly";
  monthly.definition.schedule = testing::CronSchedule("0 0 1 1 *", absl::Minutes(5), "UTC");
  monthly.state.excused_at = clock_.Now() - absl::Hours(24);
  Run([&](Transaction& transaction) {
    return transaction.InsertMonitor(monthly, absl::InfiniteFuture()).status();
  });
  TouchAfter(absl::ZeroDuration());
  TouchAfter(absl::Seconds(61));
  clock_.Advance(absl::Seconds(6));
  EXPECT_TRUE(guard_.TellGaps().ok());
  EXPECT_THAT(Deliveries(), IsEmpty());
}

TEST_F(OutageGuardTest, AGapThatMattersToNoMonitorIsNotTold) {
  AddChannel("all", true, false);
  AddMonitor("backup");
  TouchAfter(absl::ZeroDuration());
  TouchAfter(absl::Seconds(10));  // before the half of the interval
  clock_.Advance(absl::Seconds(6));
  EXPECT_TRUE(guard_.TellGaps().ok());
  EXPECT_THAT(Deliveries(), IsEmpty());
}

}  // namespace
}  // namespace tocsin::core
