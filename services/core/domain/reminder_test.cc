// People are reminded of what stays DOWN.
#include <gtest/gtest.h>

#include "services/core/domain/testing/transition_fixture.h"

namespace tocsin::core {
namespace {

using testing::DownAt;
using testing::Second;
using testing::UpAt;
using testing::UpSince;

class ReminderTest : public testing::TransitionTest {
 protected:
  ReminderTest() {
    definition_.reminder_interval = absl::Seconds(600);
    state_ = UpSince(Second(0));
  }
};

TEST_F(ReminderTest, IsDueOneIntervalAfterTheDetectionAndThenAfterTheOneBefore) {
  Check(65);  // DOWN since 60, detected at 65
  EXPECT_EQ(ReminderAt(definition_, state_), Second(665));
  EXPECT_EQ(Check(664.9).reason, Reason::kNotDue);
  const Decision& decision = Check(665);
  EXPECT_EQ(decision.reason, Reason::kReminded);
  EXPECT_TRUE(decision.reminded);
  EXPECT_FALSE(decision.opened || decision.closed);
  EXPECT_EQ(state_.state, State::kDown);
  EXPECT_EQ(state_.incident->reminded_at, Second(665));
  EXPECT_EQ(state_.sequence, 2);
  EXPECT_EQ(Check(665).reason, Reason::kNotDue);
  EXPECT_EQ(Check(1265).reason, Reason::kReminded);
  EXPECT_EQ(state_.sequence, 3);
}

TEST_F(ReminderTest, WithoutAnIntervalThereIsNone) {
  definition_.reminder_interval = absl::ZeroDuration();
  Check(61);
  EXPECT_EQ(ReminderAt(definition_, state_), absl::InfiniteFuture());
  EXPECT_EQ(SweepAt(definition_, state_), absl::InfiniteFuture());
  EXPECT_EQ(Check(1e7).reason, Reason::kNotDue);
}

TEST_F(ReminderTest, ThereIsNoneOfWhatIsNotDown) {
  EXPECT_EQ(ReminderAt(definition_, state_), absl::InfiniteFuture());
  Check(61);
  Push(UpAt(Second(70)));
  EXPECT_EQ(ReminderAt(definition_, state_), absl::InfiniteFuture());
  Check(131);
  Give(Paused{}, 140);
  EXPECT_EQ(ReminderAt(definition_, state_), absl::InfiniteFuture());
}

TEST_F(ReminderTest, WhatWasMissedIsNotMadeUpFor) {
  Check(61);
  EXPECT_EQ(Check(10000).reason, Reason::kReminded);
  EXPECT_EQ(Check(10001).reason, Reason::kNotDue);
  EXPECT_EQ(ReminderAt(definition_, state_), Second(10600));
}

TEST_F(ReminderTest, AFailureMeanwhileDoesNotPutItOff) {
  Check(61);
  Push(DownAt(Second(500)));
  EXPECT_EQ(ReminderAt(definition_, state_), Second(661));
}

TEST_F(ReminderTest, ANewIncidentCountsAnew) {
  Check(61);
  Check(661);
  Push(UpAt(Second(700)));
  Push(DownAt(Second(710)));
  EXPECT_EQ(ReminderAt(definition_, state_), Second(1310));
}

TEST_F(ReminderTest, AnIntervalThatIsChangedCountsFromTheReminderBefore) {
  Check(61);
  Check(661);
  definition_.reminder_interval = absl::Seconds(60);
  Give(Reconfigured{}, 670);
  EXPECT_EQ(ReminderAt(definition_, state_), Second(721));
}

TEST_F(ReminderTest, IsWhenTheSweeperLooks) {
  Check(61);
  EXPECT_EQ(SweepAt(definition_, state_), Second(661));
  definition_.recovery_threshold = 2;
  Push(UpAt(Second(100)));
  EXPECT_EQ(SweepAt(definition_, state_), Second(160));  // the deadline of the recovery
}

TEST_F(ReminderTest, ComesAfterADeadlineThatPassedAtTheSameTime) {
  definition_.recovery_threshold = 2;
  Check(61);
  Push(UpAt(Second(620)));
  EXPECT_EQ(Check(690).reason, Reason::kStillDown);
  EXPECT_EQ(Check(690).reason, Reason::kReminded);
}

TEST_F(ReminderTest, AResolutionFollowsWithTheNextNumber) {
  Check(61);
  Check(661);
  EXPECT_EQ(Push(UpAt(Second(700))).reason, Reason::kRecovered);
  EXPECT_EQ(state_.sequence, 3);
  EXPECT_EQ(decision_.closed->reminded_at, Second(661));
}

}  // namespace
}  // namespace tocsin::core
