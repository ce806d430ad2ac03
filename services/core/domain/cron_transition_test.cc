// What happens to monitors with a cron schedule.
#include <gtest/gtest.h>

#include "services/core/domain/testing/transition_fixture.h"

namespace tocsin::core {
namespace {

using testing::CoreGap;
using testing::CronSchedule;
using testing::DownAt;
using testing::UpAt;
using testing::UpSince;
using testing::Wall;

absl::Time Hour(int hour, int minute = 0, double second = 0) {
  return Wall("2026-01-05 00:00:00") + absl::Hours(hour) + absl::Minutes(minute) +
         absl::Seconds(second);
}

class CronTransition : public testing::TransitionTest {
 protected:
  CronTransition() { SetCron("0 * * * *", absl::Minutes(5)); }

  void SetCron(const std::string& expression, absl::Duration grace) {
    definition_.schedule = CronSchedule(expression, grace);
  }
  void Change(const Schedule& schedule, absl::Time now) {
    const Reconfigured change{.replaced = definition_.schedule};
    definition_.schedule = schedule;
    Give(change, now);
  }
  Heartbeat RunBeat(HeartbeatKind kind, absl::Time at, const std::string& run = "") {
    Heartbeat heartbeat = testing::Beat(kind, at);
    heartbeat.run_id = run;
    return heartbeat;
  }
};

TEST_F(CronTransition, AMissedFireTimeOpensAnIncidentStampedWithItsDeadline) {
  state_ = UpSince(Hour(10, 1));
  EXPECT_EQ(Check(Hour(11, 5)).reason, Reason::kNotDue);
  const Decision& decision = Check(Hour(11, 5, 0.5));
  EXPECT_EQ(decision.reason, Reason::kMissed);
  ASSERT_TRUE(decision.opened.has_value());
  EXPECT_EQ(decision.opened->cause, Cause::kMissedDeadline);
  EXPECT_EQ(decision.opened->opened_at, Hour(11, 5));
  EXPECT_EQ(decision.opened->detected_at, Hour(11, 5, 0.5));
  EXPECT_EQ(decision.expected_at, Hour(11));
}

TEST_F(CronTransition, MissesInARowAreThoseOfOneFireTimeAfterTheOther) {
  definition_.failure_threshold = 3;
  state_ = UpSince(Hour(10, 1));
  EXPECT_EQ(Check(Hour(11, 6)).reason, Reason::kCounted);
  EXPECT_EQ(At(), Hour(12, 5));
  EXPECT_EQ(Check(Hour(12, 6)).reason, Reason::kCounted);
  EXPECT_EQ(Check(Hour(13, 5)).reason, Reason::kNotDue);
  EXPECT_EQ(Check(Hour(13, 6)).reason, Reason::kMissed);
  EXPECT_EQ(state_.incident->opened_at, Hour(13, 5));
}

TEST_F(CronTransition, AnUpAfterMissesForgetsThem) {
  definition_.failure_threshold = 3;
  state_ = UpSince(Hour(10, 1));
  Check(Hour(11, 6));
  Check(Hour(12, 6));
  Push(UpAt(Hour(12, 30)));
  EXPECT_EQ(state_.failures, 0);
  EXPECT_EQ(At(), Hour(13, 5));
}

TEST_F(CronTransition, ADownSatisfiesItsFireTimeToo) {
  definition_.failure_threshold = 2;
  state_ = UpSince(Hour(10, 1));
  EXPECT_EQ(Push(DownAt(Hour(11, 1))).reason, Reason::kCounted);
  EXPECT_EQ(At(), Hour(12, 5));
}

TEST_F(CronTransition, AfterARecoveryTheNextFireTimeIsExpected) {
  state_ = UpSince(Hour(10, 1));
  Check(Hour(11, 6));
  EXPECT_EQ(At(), absl::InfiniteFuture());
  EXPECT_EQ(Push(UpAt(Hour(11, 40))).reason, Reason::kRecovered);
  EXPECT_EQ(At(), Hour(12, 5));
}

TEST_F(CronTransition, AMonitorArmedOnCreationMissesItsFirstFireTime) {
  definition_.arm_on_create = true;
  state_.armed_at = Hour(10, 30);
  EXPECT_EQ(Check(Hour(11, 5)).reason, Reason::kNotDue);
  EXPECT_EQ(Check(Hour(11, 6)).reason, Reason::kMissed);
}

TEST_F(CronTransition, AResumedMonitorExpectsTheNextFireTime) {
  state_ = UpSince(Hour(10, 1));
  Give(Paused{}, Hour(10, 30));
  Give(Resumed{}, Hour(14, 2));
  EXPECT_EQ(At(), Hour(15, 5));
  EXPECT_EQ(Check(Hour(15, 6)).reason, Reason::kMissed);
}

// --- Own outages ---

TEST_F(CronTransition, AFireTimeThatAnOutageMayHaveSwallowedIsExcusedOnceAndCountsNothing) {
  state_ = UpSince(Hour(9, 1));
  const GapList gaps = {CoreGap(Hour(9, 59), Hour(10, 20))};
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(10, 25), gaps).reason, Reason::kNotDue);
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(10, 26), gaps).reason, Reason::kExcused);
  EXPECT_EQ(state_.state, State::kUp);
  EXPECT_EQ(state_.failures, 0);
  EXPECT_EQ(state_.misses, 0);
  EXPECT_EQ(state_.sequence, 0);
  EXPECT_TRUE(Due(gaps).unverified);
  EXPECT_EQ(Due(gaps).at, Hour(11, 5));
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(11, 6), gaps).reason, Reason::kMissed);
}

TEST_F(CronTransition, ADeadJobIsFoundAlthoughOutagesComeWithEachFireTime) {
  state_ = UpSince(Hour(9, 1));
  const GapList gaps = {CoreGap(Hour(9, 59), Hour(10, 20)), CoreGap(Hour(10, 59), Hour(11, 20))};
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(10, 26), gaps).reason, Reason::kExcused);
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(11, 25), gaps).reason, Reason::kNotDue);
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(11, 26), gaps).reason, Reason::kMissed);
  EXPECT_EQ(state_.incident->opened_at, Hour(11, 25));
}

TEST_F(CronTransition, AHeartbeatBetweenAllowsAnotherExcuse) {
  state_ = UpSince(Hour(9, 1));
  const GapList gaps = {CoreGap(Hour(9, 59), Hour(10, 20)), CoreGap(Hour(10, 59), Hour(11, 20))};
  Give(DeadlineChecked{}, Hour(10, 26), gaps);
  Push(UpAt(Hour(10, 40)));
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(11, 26), gaps).reason, Reason::kExcused);
}

TEST_F(CronTransition, AnOutageOverManyFireTimesExcusesAllOfThem) {
  SetCron("* * * * *", absl::Seconds(10));
  state_ = UpSince(Hour(10));
  const GapList gaps = {CoreGap(Hour(10, 0, 30), Hour(10, 3, 30))};
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(10, 3, 41), gaps).reason, Reason::kExcused);
  // The job that lives pushes at 10:04.
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(10, 3, 42), gaps).reason, Reason::kNotDue);
  EXPECT_EQ(Due(gaps).at, Hour(10, 4, 10));
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(10, 4, 11), gaps).reason, Reason::kMissed);
}

TEST_F(CronTransition, AnOutageThatEndsJustBeforeAFireTimeExcusesItWithTheOthers) {
  SetCron("* * * * *", absl::Seconds(10));
  state_ = UpSince(Hour(10));
  // Who pushes 4 s early did so within the outage.
  const GapList gaps = {CoreGap(Hour(10, 0, 30), Hour(10, 2, 57))};
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(10, 3, 11), gaps).reason, Reason::kExcused);
  EXPECT_EQ(Due(gaps).at, Hour(10, 4, 10));
}

TEST_F(CronTransition, ADeadlineThatPassedBeforeTheOutageBeganFires) {
  state_ = UpSince(Hour(9, 1));
  const GapList gaps = {CoreGap(Hour(10, 5, 1), Hour(10, 20))};
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(10, 26), gaps).reason, Reason::kMissed);
  EXPECT_EQ(state_.incident->opened_at, Hour(10, 5));
}

TEST_F(CronTransition, WhatFiredDuringAnOutageThatDidNotExcuseIsOneFailure) {
  SetCron("* * * * *", absl::Seconds(10));
  definition_.failure_threshold = 5;
  state_ = UpSince(Hour(9, 58));
  state_.excused_at = Hour(10);
  const GapList gaps = {CoreGap(Hour(10, 0, 30), Hour(10, 3, 30))};
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(10, 3, 41), gaps).reason, Reason::kCounted);
  EXPECT_EQ(state_.failures, 1);
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(10, 3, 42), gaps).reason, Reason::kNotDue);
  EXPECT_EQ(Due(gaps).at, Hour(10, 4, 10));
}

// --- Reconfiguration ---

TEST_F(CronTransition, AChangeToCronExpectsWhatFiresFromThenOn) {
  state_ = UpSince(Hour(3));
  definition_.schedule = testing::MinuteMonitor().schedule;
  Change(CronSchedule("0 * * * *", absl::Minutes(5)), Hour(10, 2));
  EXPECT_EQ(At(), Hour(11, 5));
}

TEST_F(CronTransition, AChangeFromCronGivesOneFullTimeout) {
  state_ = UpSince(Hour(3));
  Change(testing::MinuteMonitor().schedule, Hour(10));
  EXPECT_EQ(At(), Hour(10, 1));
}

TEST_F(CronTransition, MissesBeforeAChangeDoNotPutOffTheFirstFireTimeAfterIt) {
  definition_.failure_threshold = 4;
  state_ = UpSince(Hour(7, 1));
  for (const int hour : {8, 9, 10}) Check(Hour(hour, 6));
  ASSERT_EQ(state_.misses, 3);
  Change(CronSchedule("0 0 * * *", absl::Minutes(5)), Hour(10, 30));
  EXPECT_EQ(At(), Hour(24, 5));
  EXPECT_EQ(Check(Hour(24, 6)).reason, Reason::kMissed);
}

TEST_F(CronTransition, MissesOfAnotherKindOfScheduleDoNotMultiplyTheTimeout) {
  definition_.failure_threshold = 4;
  state_ = UpSince(Hour(7, 1));
  for (const int hour : {8, 9, 10}) Check(Hour(hour, 6));
  Schedule daily = testing::MinuteMonitor().schedule;
  daily.timeout = absl::Hours(24);
  Change(daily, Hour(10, 30));
  EXPECT_EQ(At(), Hour(34, 30));
}

TEST_F(CronTransition, AChangeOfOtherFieldsMovesNothing) {
  state_ = UpSince(Hour(10, 1));
  definition_.owner = "payments";
  Give(Reconfigured{}, Hour(11, 4));
  EXPECT_EQ(At(), Hour(11, 5));
}

TEST_F(CronTransition, AFireTimeInItsGraceStaysExpectedWhenTheGraceGrows) {
  state_ = UpSince(Hour(10, 1));
  Change(CronSchedule("0 * * * *", absl::Minutes(30)), Hour(11, 2));
  EXPECT_EQ(At(), Hour(11, 30));
  const Decision& decision = Check(Hour(11, 30, 1));
  EXPECT_EQ(decision.reason, Reason::kMissed);
  EXPECT_EQ(decision.expected_at, Hour(11));
}

TEST_F(CronTransition, AJobThatWasGivenMoreGraceIsNotHeldToLess) {
  SetCron("0 * * * *", absl::Minutes(30));
  state_ = UpSince(Hour(10, 1));
  Change(CronSchedule("0 * * * *", absl::Minutes(5)), Hour(11, 2));
  EXPECT_EQ(Check(Hour(11, 20)).reason, Reason::kNotDue);
  EXPECT_EQ(At(), Hour(12, 5));
}

TEST_F(CronTransition, AFireTimeInItsGraceStaysExpectedByAnotherExpressionThatFiresThen) {
  state_ = UpSince(Hour(10, 1));
  Change(CronSchedule("0 11 * * *", absl::Minutes(5)), Hour(11, 2));
  EXPECT_EQ(At(), Hour(11, 5));
  Give(HeartbeatArrived{UpAt(Hour(11, 4))}, Hour(11, 4));
  EXPECT_EQ(At(), Hour(35, 5));
}

TEST_F(CronTransition, AFireTimeInItsGraceStaysExpectedByADenserExpression) {
  SetCron("0 2 * * *", absl::Minutes(5));
  state_ = UpSince(Hour(2, 1));
  Change(CronSchedule("0 2,14 * * *", absl::Minutes(5)), Hour(26, 3));
  EXPECT_EQ(At(), Hour(26, 5));
}

TEST_F(CronTransition, AFireTimeInItsGraceStaysExpectedAfterOneThatWasMissed) {
  definition_.failure_threshold = 2;
  state_ = UpSince(Hour(9, 1));
  ASSERT_EQ(Check(Hour(10, 6)).reason, Reason::kCounted);
  Change(CronSchedule("0 11 * * *", absl::Minutes(5)), Hour(11, 2));
  EXPECT_EQ(At(), Hour(11, 5));
  EXPECT_EQ(Check(Hour(11, 6)).reason, Reason::kMissed);
}

TEST_F(CronTransition, TheLastFireTimeInItsGraceStaysExpectedWhereTheFirstDoesNot) {
  SetCron("0,30 2 * * *", absl::Minutes(60));
  state_ = UpSince(Hour(2, 31));
  Change(CronSchedule("30 2 * * *", absl::Minutes(60)), Hour(26, 40));
  EXPECT_EQ(At(), Hour(27, 30));
}

TEST_F(CronTransition, NothingIsExpectedThatOnlyTheNewExpressionFiredInBeforeTheChange) {
  SetCron("0 2 * * *", absl::Minutes(60));
  state_ = UpSince(Hour(2, 1));
  Change(CronSchedule("0,30 2 * * *", absl::Minutes(60)), Hour(26, 40));
  EXPECT_EQ(At(), Hour(51));
}

TEST_F(CronTransition, AFireTimeThatAnOutageExcusesIsNotHeldToASmallerTolerance) {
  definition_.schedule.cron->early_tolerance = absl::Minutes(10);
  state_ = UpSince(Hour(9, 55));
  const GapList gaps = {CoreGap(Hour(10, 52), Hour(10, 57))};
  Schedule strict = definition_.schedule;
  strict.cron->early_tolerance = absl::Minutes(1);
  Change(strict, Hour(11, 2));
  EXPECT_EQ(Due(gaps).at, Hour(12, 5));
}

TEST_F(CronTransition, WhatOneOfTwoExpressionsDoesNotExpectIsNotMissed) {
  state_ = UpSince(Hour(10, 1));
  // 11:00 was expected, and 11:01 is by the new one alone.
  Change(CronSchedule("1 * * * *", absl::Minutes(5)), Hour(11, 2));
  EXPECT_EQ(At(), Hour(12, 6));
}

TEST_F(CronTransition, MissesBeforeALongerGraceStillCount) {
  definition_.failure_threshold = 2;
  state_ = UpSince(Hour(9, 1));
  ASSERT_EQ(Check(Hour(10, 6)).reason, Reason::kCounted);
  Change(CronSchedule("0 * * * *", absl::Minutes(30)), Hour(11, 2));
  EXPECT_EQ(At(), Hour(11, 30));
  EXPECT_EQ(Check(Hour(11, 31)).reason, Reason::kMissed);
}

TEST_F(CronTransition, AHeartbeatThatWasEarlyEnoughStaysSo) {
  state_ = UpSince(Hour(10, 59, 10));
  Schedule strict = definition_.schedule;
  strict.cron->early_tolerance = absl::Seconds(10);
  Change(strict, Hour(11, 2));
  EXPECT_EQ(At(), Hour(12, 5));
}

// --- Late heartbeats ---

TEST_F(CronTransition, AnUpThatWasInTimeButCommittedLateClosesTheIncident) {
  state_ = UpSince(Hour(10, 1));
  Check(Hour(11, 5, 0.1));
  ASSERT_EQ(state_.state, State::kDown);
  const Decision& decision = Give(HeartbeatArrived{UpAt(Hour(11, 5))}, Hour(11, 5, 1));
  EXPECT_EQ(decision.reason, Reason::kLateHeartbeat);
  EXPECT_TRUE(decision.withdraw_unsent_firing);
  EXPECT_EQ(At(), Hour(12, 5));
}

TEST_F(CronTransition, AnUpThatSatisfiesNothingThatWasMissedProvesNothing) {
  SetCron("* * * * *", absl::Seconds(2));
  state_ = UpSince(Hour(10));
  Check(Hour(10, 1, 2.1));
  ASSERT_EQ(state_.state, State::kDown);
  EXPECT_EQ(Give(HeartbeatArrived{UpAt(Hour(10, 0, 50))}, Hour(10, 1, 3)).reason, Reason::kStale);
  EXPECT_EQ(Give(HeartbeatArrived{UpAt(Hour(10, 0, 54))}, Hour(10, 1, 3)).reason,
            Reason::kLateHeartbeat);
}

// --- Runs ---

TEST_F(CronTransition, TheStartOfARunChoosesTheFireTime) {
  state_ = UpSince(Hour(9, 1));
  Push(RunBeat(HeartbeatKind::kStart, Hour(10, 0, 10)));
  Push(RunBeat(HeartbeatKind::kUp, Hour(10, 4)));
  EXPECT_EQ(At(), Hour(11, 5));
  Push(RunBeat(HeartbeatKind::kStart, Hour(11, 0, 10)));
  // As an up of its own this would be 30 s early for noon.
  Push(RunBeat(HeartbeatKind::kUp, Hour(11, 59, 30)));
  EXPECT_EQ(At(), Hour(12, 5));
}

TEST_F(CronTransition, AStartMaySatisfyAFireTimeEarly) {
  state_ = UpSince(Hour(9, 1));
  Push(RunBeat(HeartbeatKind::kStart, Hour(9, 59, 30), "r1"));
  Push(RunBeat(HeartbeatKind::kUp, Hour(10, 20), "r1"));
  EXPECT_EQ(At(), Hour(11, 5));
}

TEST_F(CronTransition, AStartWithoutALimitArmsAndSatisfiesNothing) {
  state_ = UpSince(Hour(9, 1));
  Push(RunBeat(HeartbeatKind::kStart, Hour(10, 0, 10)));
  EXPECT_EQ(At(), Hour(10, 5));
  EXPECT_EQ(Check(Hour(10, 6)).reason, Reason::kMissed);
}

TEST_F(CronTransition, WhatWasJudgedWhileARunTookLongIsNotJudgedAgainWhenItEnds) {
  state_ = UpSince(Hour(9, 1));
  Push(RunBeat(HeartbeatKind::kStart, Hour(10, 0, 10)));
  ASSERT_EQ(Check(Hour(10, 6)).reason, Reason::kMissed);
  EXPECT_EQ(Push(RunBeat(HeartbeatKind::kUp, Hour(13, 30))).reason, Reason::kRecovered);
  EXPECT_EQ(Check(Hour(13, 31)).reason, Reason::kNotDue);
  EXPECT_EQ(At(), Hour(14, 5));
}

TEST_F(CronTransition, ARunWithALimitStandsInForWhatFiresWhileItIsOpen) {
  definition_.max_run_duration = absl::Hours(4);
  state_ = UpSince(Hour(9, 1));
  Push(RunBeat(HeartbeatKind::kStart, Hour(10, 0, 10)));
  EXPECT_EQ(At(), Hour(14, 0, 10));
  EXPECT_EQ(Due().cause, Cause::kRunOverran);
  EXPECT_EQ(Check(Hour(12, 30)).reason, Reason::kNotDue);
  Push(RunBeat(HeartbeatKind::kUp, Hour(12, 30)));
  EXPECT_EQ(At(), Hour(13, 5));
}

TEST_F(CronTransition, AFireTimeWhoseGraceIsNotOverWhenTheRunEndsIsExpected) {
  definition_.max_run_duration = absl::Hours(4);
  state_ = UpSince(Hour(9, 1));
  Push(RunBeat(HeartbeatKind::kStart, Hour(10, 0, 10)));
  Push(RunBeat(HeartbeatKind::kUp, Hour(11, 3)));
  EXPECT_EQ(Due().expected_at, Hour(11));
  EXPECT_EQ(At(), Hour(11, 5));
}

TEST_F(CronTransition, AfterAnOverrunBelowTheThresholdTheScheduleCountsAgain) {
  definition_.max_run_duration = absl::Hours(2);
  definition_.failure_threshold = 2;
  state_ = UpSince(Hour(9, 1));
  Push(RunBeat(HeartbeatKind::kStart, Hour(10, 0, 10)));
  EXPECT_EQ(Check(Hour(12, 0, 11)).reason, Reason::kCounted);
  EXPECT_EQ(state_.failures, 1);
  EXPECT_EQ(Due().cause, Cause::kMissedDeadline);
  EXPECT_EQ(At(), Hour(12, 5));
  EXPECT_EQ(Check(Hour(12, 6)).reason, Reason::kMissed);
}

TEST_F(CronTransition, AnOutageOverARunPostponesItAndNotWhatFiresMeanwhile) {
  definition_.max_run_duration = absl::Hours(2);
  state_ = UpSince(Hour(9, 1));
  Push(RunBeat(HeartbeatKind::kStart, Hour(10)));
  const GapList gaps = {CoreGap(Hour(10, 30), Hour(11))};
  EXPECT_EQ(Due(gaps).at, Hour(13));
  EXPECT_FALSE(Due(gaps).excused);
  EXPECT_TRUE(Due(gaps).unverified);
  EXPECT_EQ(Give(DeadlineChecked{}, Hour(13, 0, 1), gaps).reason, Reason::kRunOverran);
  EXPECT_EQ(state_.incident->opened_at, Hour(13));
}

}  // namespace
}  // namespace tocsin::core
