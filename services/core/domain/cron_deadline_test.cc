// The deadline formula for cron schedules, sentence by sentence of product.md.
#include <gtest/gtest.h>

#include "services/core/domain/deadline.h"
#include "services/core/domain/fire_times.h"
#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using testing::CoreGap;
using testing::CronSchedule;
using testing::MinuteMonitor;
using testing::UpSince;
using testing::Wall;

constexpr absl::Duration kFiveMinutes = absl::Minutes(5);

MonitorDefinition Fires(const std::string& expression, absl::Duration grace = kFiveMinutes,
                        const std::string& zone = "UTC") {
  MonitorDefinition definition = MinuteMonitor();
  definition.schedule = CronSchedule(expression, grace, zone);
  return definition;
}

// The fire time that is expected after a heartbeat.
absl::Time ExpectedAfter(const MonitorDefinition& definition, absl::Time heartbeat) {
  return DeadlineOf(definition, UpSince(heartbeat), {}).expected_at;
}

absl::Time Hour(int hour, int minute = 0, double second = 0) {
  return Wall("2026-01-05 00:00:00") + absl::Hours(hour) + absl::Minutes(minute) +
         absl::Seconds(second);
}

TEST(CronDeadline, IsTheFireTimePlusTheGrace) {
  const Deadline deadline = DeadlineOf(Fires("0 2 * * *"), UpSince(Hour(2, 1)), {});
  EXPECT_EQ(deadline.expected_at, Hour(26));
  EXPECT_EQ(deadline.plain, Hour(26, 5));
  EXPECT_EQ(deadline.at, Hour(26, 5));
  EXPECT_EQ(deadline.cause, Cause::kMissedDeadline);
  EXPECT_FALSE(deadline.unverified);
  EXPECT_FALSE(deadline.excused);
}

TEST(CronDeadline, AnExcuseStandsUntilAHeartbeatOrAResumption) {
  MonitorState state = UpSince(Hour(9, 1));
  state.excused_at = Hour(10);
  const GapList gaps = {CoreGap(Hour(10, 58), Hour(11, 20))};
  EXPECT_TRUE(DeadlineOf(Fires("0 * * * *"), state, {}).unverified);
  EXPECT_FALSE(DeadlineOf(Fires("0 * * * *"), state, {}).swallowed);
  EXPECT_TRUE(DeadlineOf(Fires("0 * * * *"), state, gaps).swallowed);
  EXPECT_FALSE(DeadlineOf(Fires("0 * * * *"), state, gaps).excused);
  // The outage that excused it, which is told when it is over for long.
  EXPECT_TRUE(DeadlineOf(Fires("0 * * * *"), state, {CoreGap(Hour(9, 59), Hour(10, 1))}).swallowed);
  EXPECT_FALSE(
      DeadlineOf(Fires("0 * * * *"), state, {CoreGap(Hour(9, 30), Hour(9, 31))}).swallowed);
  MonitorState early = state;
  early.last_at = Hour(9, 59, 30);
  EXPECT_FALSE(DeadlineOf(Fires("0 * * * *"), early, {}).unverified) << "it came for that one";
  state.armed_at = Hour(10, 30);
  EXPECT_FALSE(DeadlineOf(Fires("0 * * * *"), state, {}).unverified);
  EXPECT_TRUE(DeadlineOf(Fires("0 * * * *"), state, gaps).excused);
}

TEST(CronDeadline, AHeartbeatSatisfiesTheLatestFireTimeAtOrBeforeItAndAllEarlierOnes) {
  const MonitorDefinition hourly = Fires("0 * * * *");
  EXPECT_EQ(ExpectedAfter(hourly, Hour(10, 30)), Hour(11));
  EXPECT_EQ(ExpectedAfter(hourly, Hour(11)), Hour(12));
  MonitorState days_ago = UpSince(Hour(-72));
  days_ago.last_at = Hour(10, 30);
  EXPECT_EQ(DeadlineOf(hourly, days_ago, {}).expected_at, Hour(11));
}

TEST(CronDeadline, AHeartbeatIsAtMostAMinuteEarlyByDefault) {
  const MonitorDefinition hourly = Fires("0 * * * *");
  EXPECT_EQ(ExpectedAfter(hourly, Hour(10, 59)), Hour(12));
  EXPECT_EQ(ExpectedAfter(hourly, Hour(10, 58, 59.999)), Hour(11));
}

TEST(CronDeadline, AHeartbeatIsAtMostATenthOfAShortPeriodEarlyByDefault) {
  const MonitorDefinition minutely = Fires("* * * * *");
  EXPECT_EQ(ExpectedAfter(minutely, Hour(10, 0, 54)), Hour(10, 2));
  EXPECT_EQ(ExpectedAfter(minutely, Hour(10, 0, 53.999)), Hour(10, 1));
}

TEST(CronDeadline, ThePeriodIsTheTimeSinceTheFireTimeBefore) {
  const CronRule rule = *Fires("0,2 * * * *").schedule.cron;
  EXPECT_EQ(EarlyTolerance(rule, Hour(10, 2)), absl::Seconds(12));
  EXPECT_EQ(EarlyTolerance(rule, Hour(10, 0)), absl::Minutes(1));
}

TEST(CronDeadline, AnEarlyToleranceThatIsGivenCounts) {
  MonitorDefinition hourly = Fires("0 * * * *");
  hourly.schedule.cron->early_tolerance = absl::Minutes(10);
  EXPECT_EQ(ExpectedAfter(hourly, Hour(10, 50)), Hour(12));
  EXPECT_EQ(ExpectedAfter(hourly, Hour(10, 49, 59)), Hour(11));
  hourly.schedule.cron->early_tolerance = absl::ZeroDuration();
  EXPECT_EQ(ExpectedAfter(hourly, Hour(10, 59, 59.999)), Hour(11));
}

TEST(CronDeadline, AToleranceOfSeveralPeriodsSatisfiesSeveralFireTimesAhead) {
  MonitorDefinition definition = Fires("*/5 * * * *");
  definition.schedule.cron->early_tolerance = absl::Minutes(12);
  EXPECT_EQ(ExpectedAfter(definition, Hour(10)), Hour(10, 15));
}

TEST(CronDeadline, OfTheNthMissIsTheNthFireTimePlusTheGrace) {
  MonitorState state = UpSince(Hour(10, 1));
  state.misses = 2;
  EXPECT_EQ(DeadlineOf(Fires("0 * * * *"), state, {}).at, Hour(13, 5));
}

TEST(CronDeadline, OfAnArmedMonitorIsThatOfTheFirstFireTimeAfterItsCreation) {
  MonitorState state;
  state.armed_at = Hour(10);
  EXPECT_EQ(DeadlineOf(Fires("0 * * * *"), state, {}).at, Hour(11, 5));
  state.armed_at = Hour(10, 59, 59.9);
  EXPECT_EQ(DeadlineOf(Fires("0 * * * *"), state, {}).at, Hour(11, 5));
  EXPECT_EQ(DeadlineOf(Fires("0 * * * *"), MonitorState{}, {}).at, absl::InfiniteFuture());
}

TEST(CronDeadline, WhatFiredBeforeAChangeOfScheduleIsNotExpected) {
  MonitorState state = UpSince(Hour(3));
  state.floor_at = Hour(10);
  EXPECT_EQ(DeadlineOf(Fires("0 * * * *"), state, {}).expected_at, Hour(11));
}

// Spring: the clock goes from 02:00 to 03:00. Autumn: from 03:00 back to 02:00. And so on.
TEST(CronDeadline, InTheNightOfAChangeOfTheClockEachFireTimeIsExpectedOnce) {
  const struct {
    const char* zone;
    const char* expression;
    const char* before;    // a heartbeat, UTC
    const char* expected;  // UTC
    const char* next;      // UTC
  } cases[] = {
      {"Europe/Berlin", "30 2 * * *", "2026-03-28 01:31:00", "2026-03-29 01:00:00",
       "2026-03-30 00:30:00"},
      {"Europe/Berlin", "30 2 * * *", "2026-10-24 00:31:00", "2026-10-25 00:30:00",
       "2026-10-26 01:30:00"},
      {"America/New_York", "30 2 * * *", "2026-03-07 07:31:00", "2026-03-08 07:00:00",
       "2026-03-09 06:30:00"},
      {"America/New_York", "30 1 * * *", "2026-10-31 05:31:00", "2026-11-01 05:30:00",
       "2026-11-02 06:30:00"},
      {"Australia/Lord_Howe", "15 2 * * *", "2026-10-02 15:46:00", "2026-10-03 15:30:00",
       "2026-10-04 15:15:00"},
      {"Australia/Lord_Howe", "45 1 * * *", "2026-04-03 14:46:00", "2026-04-04 14:45:00",
       "2026-04-05 15:15:00"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(std::string(test.zone) + " " + test.before);
    const MonitorDefinition definition = Fires(test.expression, kFiveMinutes, test.zone);
    EXPECT_EQ(ExpectedAfter(definition, Wall(test.before)), Wall(test.expected));
    EXPECT_EQ(ExpectedAfter(definition, Wall(test.expected)), Wall(test.next));
    EXPECT_EQ(DeadlineOf(definition, UpSince(Wall(test.before)), {}).at,
              Wall(test.expected) + kFiveMinutes);
  }
}

TEST(CronDeadline, ACreditCountsInsteadOfTheNewestHeartbeat) {
  MonitorState state = UpSince(Hour(10, 59, 30));
  state.credit_at = Hour(10);
  EXPECT_EQ(DeadlineOf(Fires("0 * * * *"), state, {}).expected_at, Hour(11));
}

TEST(CronOwnOutage, ThatOverlapsTheTimeOfTheHeartbeatMovesItsDeadlineAndExcusesIt) {
  const Deadline deadline =
      DeadlineOf(Fires("0 * * * *"), UpSince(Hour(10, 1)), {CoreGap(Hour(10, 55), Hour(11, 20))});
  EXPECT_EQ(deadline.expected_at, Hour(11));
  EXPECT_EQ(deadline.plain, Hour(11, 5));
  EXPECT_EQ(deadline.at, Hour(11, 25));
  EXPECT_TRUE(deadline.excused);
  EXPECT_TRUE(deadline.unverified);
}

TEST(CronOwnOutage, CountsFromTheEarlyToleranceToTheGraceBothIncluded) {
  const MonitorDefinition hourly = Fires("0 * * * *");
  const MonitorState state = UpSince(Hour(10, 1));
  const struct {
    absl::Time start, end;
    bool excused;
    absl::Time at;
  } cases[] = {
      {Hour(10, 30), Hour(10, 58, 59.9), false, Hour(11, 5)},
      {Hour(10, 30), Hour(10, 59), true, Hour(11, 5)},
      {Hour(11, 1), Hour(11, 2), true, Hour(11, 7)},
      {Hour(11, 5), Hour(11, 30), true, Hour(11, 35)},
      {Hour(11, 5, 0.1), Hour(11, 30), false, Hour(11, 5)},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(absl::FormatTime(test.start, absl::UTCTimeZone()));
    const Deadline deadline = DeadlineOf(hourly, state, {CoreGap(test.start, test.end)});
    EXPECT_EQ(deadline.excused, test.excused);
    EXPECT_EQ(deadline.unverified, test.excused);
    EXPECT_EQ(deadline.at, test.at);
  }
}

TEST(CronOwnOutage, AfterOneThatWasExcusedPostponesButDoesNotExcuseAgain) {
  MonitorState state = UpSince(Hour(9, 1));
  state.excused_at = Hour(10);
  const Deadline deadline =
      DeadlineOf(Fires("0 * * * *"), state, {CoreGap(Hour(10, 55), Hour(11, 20))});
  EXPECT_EQ(deadline.expected_at, Hour(11));
  EXPECT_EQ(deadline.at, Hour(11, 25));
  EXPECT_FALSE(deadline.excused);
  state.last_at = Hour(10, 30);
  EXPECT_TRUE(DeadlineOf(Fires("0 * * * *"), state, {CoreGap(Hour(10, 55), Hour(11, 20))}).excused);
}

TEST(CronOwnOutage, LeavesAMonitorUnverifiedUntilItsNextHeartbeat) {
  MonitorState state = UpSince(Hour(9, 1));
  state.excused_at = Hour(10);
  EXPECT_TRUE(DeadlineOf(Fires("0 * * * *"), state, {}).unverified);
  state.last_at = Hour(10, 30);
  EXPECT_FALSE(DeadlineOf(Fires("0 * * * *"), state, {}).unverified);
}

TEST(CronOwnOutage, OfGatewaysDoesNotExcuseWhoPushesOverGrpc) {
  const GapList gaps = {{.kind = GapKind::kGateway, .start = Hour(10, 55), .end = Hour(11, 20)}};
  MonitorState state = UpSince(Hour(10, 1));
  EXPECT_TRUE(DeadlineOf(Fires("0 * * * *"), state, gaps).excused);
  state.last_source = Source::kGrpc;
  EXPECT_FALSE(DeadlineOf(Fires("0 * * * *"), state, gaps).excused);
  EXPECT_EQ(DeadlineOf(Fires("0 * * * *"), state, gaps).at, Hour(11, 5));
}

}  // namespace
}  // namespace tocsin::core
