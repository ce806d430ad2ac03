// How many failures open an incident, and how many successes close it.
#include <gtest/gtest.h>

#include "services/core/domain/testing/transition_fixture.h"

namespace tocsin::core {
namespace {

using testing::DownAt;
using testing::Second;
using testing::UpAt;
using testing::UpSince;

class ThresholdTest : public testing::TransitionTest {
 protected:
  ThresholdTest() { state_ = UpSince(Second(0)); }
};

TEST_F(ThresholdTest, FailuresOfAllKindsAddUp) {
  definition_.failure_threshold = 4;
  definition_.value_max = 10;
  definition_.max_run_duration = absl::Seconds(10);
  EXPECT_EQ(Push(DownAt(Second(10))).reason, Reason::kCounted);
  Heartbeat much = UpAt(Second(20));
  much.value = 11;
  EXPECT_EQ(Push(much).reason, Reason::kCounted);
  Start(30);
  EXPECT_EQ(Check(41).reason, Reason::kCounted);
  EXPECT_EQ(state_.failures, 3);
  EXPECT_EQ(Check(101).reason, Reason::kMissed);
  EXPECT_EQ(state_.incident->opened_at, Second(100));
}

TEST_F(ThresholdTest, TheCauseIsThatOfTheFailureThatReachedIt) {
  definition_.failure_threshold = 2;
  Check(61);
  EXPECT_EQ(Push(DownAt(Second(70), "disk full")).reason, Reason::kReportedDown);
  EXPECT_EQ(state_.incident->cause, Cause::kReportedDown);
  EXPECT_EQ(state_.incident->opened_at, Second(70));
}

TEST_F(ThresholdTest, ADownAfterAMissRearmsTheDeadlineFromItself) {
  definition_.failure_threshold = 5;
  Check(61);
  Push(DownAt(Second(70)));
  EXPECT_EQ(state_.misses, 0);
  EXPECT_EQ(At(), Second(130));
}

TEST_F(ThresholdTest, ADownThatWasInTimeThoughItsCommitWasNotCountsInsteadOfTheMiss) {
  definition_.failure_threshold = 2;
  Check(61);
  EXPECT_EQ(PushLate(DownAt(Second(60)), 62).reason, Reason::kCounted);
  EXPECT_EQ(state_.failures, 1);
  EXPECT_EQ(Check(121).reason, Reason::kMissed);
  EXPECT_EQ(state_.incident->opened_at, Second(120));
}

TEST_F(ThresholdTest, ADownThatWasInTimeForTheSecondMissLeavesTheFirst) {
  definition_.failure_threshold = 4;
  Check(61);
  Check(121);
  PushLate(DownAt(Second(61)), 122);
  EXPECT_EQ(state_.failures, 2);
}

TEST_F(ThresholdTest, ANewMonitorStaysNewBelowIt) {
  definition_.failure_threshold = 2;
  state_ = MonitorState{};
  EXPECT_EQ(Push(DownAt(Second(10))).reason, Reason::kCounted);
  EXPECT_EQ(state_.state, State::kNew);
  EXPECT_EQ(At(), Second(70));
  EXPECT_EQ(Check(71).reason, Reason::kMissed);
}

TEST_F(ThresholdTest, AStartIsNoSuccess) {
  definition_.failure_threshold = 3;
  Push(DownAt(Second(10)));
  Start(20);
  EXPECT_EQ(state_.failures, 1);
  definition_.failure_threshold = 1;
  Push(DownAt(Second(30)));
  Start(40);
  EXPECT_EQ(state_.state, State::kDown);
  EXPECT_EQ(state_.successes, 0);
}

TEST_F(ThresholdTest, WhatIsStaleCountsNeitherWay) {
  definition_.failure_threshold = 2;
  Push(DownAt(Second(10)));
  PushLate(DownAt(Second(9)), 11);
  PushLate(UpAt(Second(9)), 11);
  EXPECT_EQ(state_.failures, 1);
}

TEST_F(ThresholdTest, RecoveryCountsSuccessesInARow) {
  definition_.recovery_threshold = 3;
  Push(DownAt(Second(10)));
  EXPECT_EQ(Push(UpAt(Second(20))).reason, Reason::kCounted);
  EXPECT_EQ(Push(UpAt(Second(30))).reason, Reason::kCounted);
  EXPECT_EQ(state_.state, State::kDown);
  EXPECT_EQ(Push(UpAt(Second(40))).reason, Reason::kRecovered);
  EXPECT_EQ(decision_.closed->closed_at, Second(40));
  EXPECT_EQ(state_.successes, 0);
  EXPECT_EQ(state_.failures, 0);
}

TEST_F(ThresholdTest, AfterARecoveryFailuresCountFromTheBeginning) {
  definition_.failure_threshold = 2;
  Push(DownAt(Second(10)));
  Push(DownAt(Second(20)));
  Push(UpAt(Second(30)));
  EXPECT_EQ(Push(DownAt(Second(40))).reason, Reason::kCounted);
  EXPECT_EQ(Push(DownAt(Second(50))).reason, Reason::kReportedDown);
}

TEST_F(ThresholdTest, APauseForgetsWhatWasCounted) {
  definition_.failure_threshold = 2;
  Push(DownAt(Second(10)));
  Give(Paused{}, 20);
  Give(Resumed{}, 30);
  EXPECT_EQ(Push(DownAt(Second(40))).reason, Reason::kCounted);
}

TEST_F(ThresholdTest, AMissOfARecoveringMonitorIsFoundWithoutAnotherAlarm) {
  definition_.recovery_threshold = 2;
  Push(DownAt(Second(10)));
  Push(UpAt(Second(20)));
  EXPECT_EQ(At(), Second(80));
  EXPECT_EQ(Check(81).reason, Reason::kStillDown);
  EXPECT_FALSE(decision_.opened.has_value());
  EXPECT_EQ(state_.sequence, 1);
}

}  // namespace
}  // namespace tocsin::core
