// The deadline formula, case by case of product.md "Schedules and deadlines" and "Own outages".
#include "services/core/domain/deadline.h"

#include <gtest/gtest.h>

#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using testing::CoreGap;
using testing::MinuteMonitor;
using testing::Second;
using testing::UpSince;

MonitorDefinition WithSchedule(double timeout, double interval, double grace) {
  MonitorDefinition definition = MinuteMonitor();
  definition.schedule = {.timeout = absl::Seconds(timeout),
                         .recommended_interval = absl::Seconds(interval),
                         .grace = absl::Seconds(grace)};
  return definition;
}

TEST(Deadline, IsTheLastHeartbeatPlusTimeoutPlusGrace) {
  const Deadline deadline = DeadlineOf(WithSchedule(60, 60, 5), UpSince(Second(100)), {});
  EXPECT_EQ(deadline.at, Second(165));
  EXPECT_EQ(deadline.plain, Second(165));
  EXPECT_EQ(deadline.expected_at, Second(160));
  EXPECT_EQ(deadline.cause, Cause::kMissedDeadline);
  EXPECT_FALSE(deadline.unverified);
}

TEST(Deadline, CountsFromResumptionWhenThatIsLater) {
  MonitorState state = UpSince(Second(100));
  state.armed_at = Second(500);
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), state, {}).at, Second(560));
  state.last_at = Second(530);
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), state, {}).at, Second(590));
}

TEST(Deadline, OfTheNthMissIsNTimeoutsAfterTheLastHeartbeat) {
  MonitorState state = UpSince(Second(0));
  state.misses = 2;
  EXPECT_EQ(DeadlineOf(WithSchedule(60, 60, 5), state, {}).at, Second(185));
}

TEST(Deadline, IsNeverEarlierThanTheFloor) {
  MonitorState state = UpSince(Second(0));
  state.floor_at = Second(90);
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), state, {}).at, Second(90));
}

TEST(Deadline, IsAbsentForPausedDeletedUnarmedAndDown) {
  MonitorState state = UpSince(Second(0));
  state.state = State::kPaused;
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), state, {}).at, absl::InfiniteFuture());
  state.state = State::kDown;
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), state, {}).at, absl::InfiniteFuture());
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), MonitorState{}, {}).at, absl::InfiniteFuture());
  MonitorDefinition deleted = MinuteMonitor();
  deleted.deleted_at = Second(1);
  EXPECT_EQ(DeadlineOf(deleted, UpSince(Second(0)), {}).at, absl::InfiniteFuture());
}

TEST(Deadline, IsArmedForNewWithArmOnCreateAndForDownThatIsRecovering) {
  MonitorState armed;
  armed.armed_at = Second(0);
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), armed, {}).at, Second(60));
  MonitorState recovering = UpSince(Second(10));
  recovering.state = State::kDown;
  recovering.successes = 1;
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), recovering, {}).at, Second(70));
}

TEST(OwnOutage, PostponesToOneIntervalAndTheGraceAfterItsEnd) {
  const Deadline deadline =
      DeadlineOf(WithSchedule(60, 20, 5), UpSince(Second(0)), {CoreGap(Second(30), Second(600))});
  EXPECT_EQ(deadline.at, Second(625));
  EXPECT_EQ(deadline.plain, Second(65));
  EXPECT_EQ(deadline.expected_at, Second(60));
  EXPECT_TRUE(deadline.unverified);
}

TEST(OwnOutage, ThatEndedWithinHalfAnIntervalOfTheHeartbeatChangesNothing) {
  const Deadline deadline =
      DeadlineOf(WithSchedule(60, 60, 0), UpSince(Second(0)), {CoreGap(Second(1), Second(29))});
  EXPECT_EQ(deadline.at, Second(60));
  EXPECT_FALSE(deadline.unverified);
}

TEST(OwnOutage, SoonAfterAResumptionPostponesSinceNobodyKnowsWhenTheJobPushesNext) {
  MonitorState state = UpSince(Second(0));
  state.armed_at = Second(1000);
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), state, {CoreGap(Second(1005), Second(1015))}).at,
            Second(1075));
}

TEST(OwnOutage, SoonAfterAChangeOfSchedulePostponesToo) {
  MonitorState state = UpSince(Second(0));
  const GapList gaps = {CoreGap(Second(5), Second(15))};
  state.floor_at = Second(4) + absl::Seconds(60);
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), state, gaps).at, Second(75));
  state.floor_at = Second(16) + absl::Seconds(60);
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), state, gaps).at, Second(76));
}

TEST(OwnOutage, ThatBeganAfterTheDeadlineChangesNothing) {
  const Deadline deadline =
      DeadlineOf(MinuteMonitor(), UpSince(Second(0)), {CoreGap(Second(61), Second(600))});
  EXPECT_EQ(deadline.at, Second(60));
  EXPECT_FALSE(deadline.unverified);
}

TEST(OwnOutage, ThatBeganExactlyAtTheDeadlineStillPostpones) {
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), UpSince(Second(0)), {CoreGap(Second(60), Second(70))}).at,
            Second(130));
}

TEST(OwnOutage, AfterWhichTheDeadlineLeavesTimeEnoughMakesUnverifiedButPostponesNothing) {
  const Deadline deadline =
      DeadlineOf(WithSchedule(60, 10, 0), UpSince(Second(0)), {CoreGap(Second(12), Second(15))});
  EXPECT_EQ(deadline.at, Second(60));
  EXPECT_TRUE(deadline.unverified);
}

TEST(OwnOutage, LaterOnesDoNotPostponeAgainUnlessTheyBeganBeforeThePlainDeadline) {
  const GapList gaps = {CoreGap(Second(50), Second(55)), CoreGap(Second(58), Second(100)),
                        CoreGap(Second(120), Second(900))};
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), UpSince(Second(0)), gaps).at, Second(160));
}

TEST(OwnOutage, IsFoundBehindALaterGapThatDoesNotTouchTheMonitor) {
  GapList gaps = {CoreGap(Second(40), Second(50))};
  gaps.push_back({.kind = GapKind::kGateway, .start = Second(55), .end = Second(80)});
  MonitorState state = UpSince(Second(0));
  state.last_source = Source::kGrpc;
  EXPECT_EQ(DeadlineOf(MinuteMonitor(), state, gaps).at, Second(110));
}

TEST(OwnOutage, OfGatewaysTouchesMonitorsHeardOverHttpOrNeverHeard) {
  for (const GapKind kind : {GapKind::kGateway, GapKind::kShed}) {
    const GapList gaps = {{.kind = kind, .start = Second(40), .end = Second(50)}};
    MonitorState state = UpSince(Second(0));
    EXPECT_EQ(DeadlineOf(MinuteMonitor(), state, gaps).at, Second(110));
    state.last_source = Source::kGrpc;
    EXPECT_EQ(DeadlineOf(MinuteMonitor(), state, gaps).at, Second(60));
    MonitorState armed;
    armed.armed_at = Second(0);
    EXPECT_EQ(DeadlineOf(MinuteMonitor(), armed, gaps).at, Second(110));
  }
}

TEST(OwnOutage, LongerThanAMonitorMayBeSilentPostponedADeadlineOfIts) {
  const MonitorState heard_since = UpSince(Second(1000));
  MonitorDefinition definition = MinuteMonitor();
  definition.created_at = Second(-100);
  EXPECT_TRUE(IsOutlastedBy(definition, heard_since, {CoreGap(Second(0), Second(61))}));
  EXPECT_FALSE(IsOutlastedBy(definition, heard_since, {CoreGap(Second(0), Second(60))}));
  MonitorState resumed = heard_since;
  resumed.armed_at = Second(1);
  EXPECT_FALSE(IsOutlastedBy(definition, resumed, {CoreGap(Second(0), Second(61))}));
  MonitorState direct = heard_since;
  direct.last_source = Source::kGrpc;
  const Gap gateways = {.kind = GapKind::kGateway, .start = Second(0), .end = Second(61)};
  EXPECT_TRUE(IsOutlastedBy(definition, heard_since, {gateways}));
  EXPECT_FALSE(IsOutlastedBy(definition, direct, {gateways}));
  // One after the other, without a break but for who is heard otherwise.
  const GapList both = {CoreGap(Second(0), Second(40)),
                        {.kind = GapKind::kGateway, .start = Second(35), .end = Second(80)},
                        CoreGap(Second(79), Second(85))};
  EXPECT_TRUE(IsOutlastedBy(definition, heard_since, both));
  EXPECT_FALSE(IsOutlastedBy(definition, direct, both));
  MonitorState resumed_in_the_first = heard_since;
  resumed_in_the_first.armed_at = Second(20);
  const GapList later = {{.kind = GapKind::kGateway, .start = Second(0), .end = Second(40)},
                         CoreGap(Second(35), Second(900))};
  EXPECT_TRUE(IsOutlastedBy(definition, resumed_in_the_first, later));
}

TEST(OwnOutage, PostponedNoDeadlineOfWhatWasDownInIt) {
  MonitorDefinition definition = MinuteMonitor();
  definition.created_at = Second(-100);
  MonitorState recovered = UpSince(Second(1000));
  recovered.transitions = {Second(-50), Second(1000)};
  EXPECT_FALSE(IsOutlastedBy(definition, recovered, {CoreGap(Second(0), Second(900))}));
}

TEST(OwnOutage, InWhichACronJobWasExpectedAndGraceRanOutPostponedADeadlineOfIts) {
  MonitorDefinition definition = MinuteMonitor();
  definition.created_at = absl::InfinitePast();
  definition.schedule = {.timeout = absl::ZeroDuration(),
                         .recommended_interval = absl::ZeroDuration(),
                         .grace = absl::Minutes(5),
                         .cron = CronRule{.expression = *CronExpression::Parse("0 * * * *"),
                                          .zone = absl::UTCTimeZone()}};
  const absl::Time hour = absl::FromCivil(absl::CivilHour(2026, 3, 2, 12), absl::UTCTimeZone());
  const MonitorState heard_since = UpSince(hour + absl::Minutes(20));
  const auto outlasted = [&](double from, double to) {
    return IsOutlastedBy(definition, heard_since,
                         {CoreGap(hour + absl::Minutes(from), hour + absl::Minutes(to))});
  };
  EXPECT_TRUE(outlasted(-10, 6));
  EXPECT_FALSE(outlasted(-10, 4));
  EXPECT_FALSE(outlasted(1, 10));
  EXPECT_FALSE(outlasted(-0.5, 10)) << "a heartbeat just before it may have been for this hour";
}

}  // namespace
}  // namespace tocsin::core
