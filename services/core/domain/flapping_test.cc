// What goes down and comes back again and again is told of once, until it is steady.
#include "services/core/domain/flapping.h"

#include <gtest/gtest.h>

#include "services/core/domain/tell_time.h"
#include "services/core/domain/testing/transition_fixture.h"

namespace tocsin::core {
namespace {

using testing::DownAt;
using testing::Second;
using testing::UpAt;
using testing::UpSince;

// DOWN at 100, UP at 110, DOWN at 120, …
class FlappingTest : public testing::TransitionTest {
 protected:
  FlappingTest() { state_ = UpSince(Second(0)); }

  // The n-th transition, from 1.
  const Decision& Flip(int n) {
    const absl::Time at = Second(90 + 10 * n);
    return Give(HeartbeatArrived{n % 2 == 1 ? DownAt(at) : UpAt(at)}, at, gaps_);
  }
  void FlipUntil(int n) {
    for (int i = 1; i <= n; ++i) Flip(i);
  }

  GapList gaps_;
};

TEST_F(FlappingTest, SixTransitionsWithinAnHourAreTold) {
  for (int n = 1; n <= 6; ++n) {
    EXPECT_EQ(Flip(n).next.sequence, n);
    EXPECT_FALSE(SteadyAt(state_, Second(90 + 10 * n)).has_value());
  }
}

TEST_F(FlappingTest, TheSeventhIsToldAndSaysSo) {
  FlipUntil(6);
  const Decision& decision = Flip(7);
  ASSERT_TRUE(decision.opened.has_value());
  EXPECT_FALSE(decision.opened->held_until.has_value());
  EXPECT_EQ(decision.next.sequence, 7);
  EXPECT_EQ(SteadyAt(state_, Second(160)), Second(160) + kSteadySpan);
}

TEST_F(FlappingTest, NothingElseIsToldUntilItIsSteady) {
  FlipUntil(7);
  const Decision& closed = Flip(8);
  EXPECT_TRUE(closed.closed.has_value());
  EXPECT_TRUE(closed.next.untold_end.has_value());
  EXPECT_EQ(closed.next.sequence, 7);
  const Decision& opened = Flip(9);
  EXPECT_EQ(opened.opened->held_until, Second(180) + kSteadySpan);
  EXPECT_EQ(opened.next.sequence, 7);
  EXPECT_EQ(Flip(10).next.sequence, 7);
}

TEST_F(FlappingTest, WhatIsUpWhenItIsSteadyIsToldThen) {
  FlipUntil(8);  // UP since 170
  definition_.schedule.timeout = absl::Hours(2);
  EXPECT_EQ(SweepAt(definition_, state_), Second(170) + kSteadySpan);
  EXPECT_EQ(Check(170 + 899).reason, Reason::kNotDue);
  const Decision& decision = Check(170 + 900);
  EXPECT_EQ(decision.reason, Reason::kToldAfterHold);
  EXPECT_TRUE(decision.told_end.has_value());
  EXPECT_EQ(state_.sequence, 8);
  EXPECT_EQ(state_.state, State::kUp);
  EXPECT_FALSE(SteadyAt(state_, Second(170 + 900)).has_value());
  EXPECT_EQ(Check(170 + 901).reason, Reason::kNotDue);
}

TEST_F(FlappingTest, AMuteDelaysNoEndThatIsOwed) {
  FlipUntil(8);  // UP since 170, untold
  gaps_ = {{.kind = GapKind::kMute, .start = Second(175), .end = Second(175 + 8 * 3600)}};
  Flip(9);  // DOWN since 180, held back by the mute
  EXPECT_EQ(TellAt(definition_, state_, gaps_, Second(181)), Second(180 + 900));
  const Decision& end = Give(DeadlineChecked{}, Second(180 + 900), gaps_);
  EXPECT_TRUE(end.told_end.has_value());
  EXPECT_FALSE(end.told);
  EXPECT_EQ(TellAt(definition_, state_, gaps_, Second(180 + 901)), Second(175 + 8 * 3600));
}

TEST_F(FlappingTest, WhatIsDownWhenItIsSteadyIsToldAfterTheEndBeforeIt) {
  FlipUntil(9);  // DOWN since 180
  const Decision end = Check(180 + 900);
  EXPECT_TRUE(end.told_end.has_value());
  EXPECT_FALSE(end.told);
  EXPECT_EQ(end.next.sequence, 8);
  const Decision& beginning = Check(180 + 900);
  EXPECT_TRUE(beginning.told);
  EXPECT_EQ(beginning.next.sequence, 9);
  EXPECT_EQ(beginning.next.incident->opened_at, Second(180)) << "when it happened";
  EXPECT_FALSE(beginning.next.incident->held_until.has_value());
}

TEST_F(FlappingTest, WhatStaysDownAfterTheNoticeHasBeenTold) {
  FlipUntil(7);
  EXPECT_EQ(Check(160 + 900).reason, Reason::kNotDue);
  definition_.schedule.timeout = absl::Hours(2);
  EXPECT_EQ(Push(UpAt(Second(160 + 1000))).next.sequence, 8) << "steady: the end is told at once";
}

TEST_F(FlappingTest, ItBeginsWithWhatIsToldOnly) {
  gaps_ = {{.kind = GapKind::kMaintenance, .start = Second(50), .end = Second(165)}};
  FlipUntil(7);  // all of them within a maintenance
  EXPECT_FALSE(state_.flapping_since.has_value());
  EXPECT_EQ(Flip(8).next.sequence, 0);
  const Decision& notice = Flip(9);
  EXPECT_FALSE(notice.opened->held_until.has_value());
  EXPECT_TRUE(SteadyAt(state_, Second(180)).has_value());
  EXPECT_EQ(state_.sequence, 1);
}

TEST_F(FlappingTest, WhatIsPausedWhileItFlapsIsToldAtOnce) {
  FlipUntil(8);
  const Decision& decision = Give(Paused{}, 175);
  EXPECT_TRUE(decision.told_end.has_value());
  EXPECT_EQ(state_.sequence, 8);
  EXPECT_TRUE(state_.transitions.empty());
}

TEST_F(FlappingTest, WhatIsPausedWhileItIsDownAndHeldBackTellsOnlyTheEndBefore) {
  FlipUntil(9);
  const Decision& decision = Give(Paused{}, 185);
  EXPECT_TRUE(decision.told_end.has_value());
  EXPECT_TRUE(decision.closed->held_until.has_value());
  EXPECT_EQ(state_.sequence, 8);
}

TEST_F(FlappingTest, APausedNoticeEndsAtOnce) {
  FlipUntil(7);
  const Decision& decision = Give(Paused{}, 165);
  EXPECT_EQ(decision.closed->resolution, Resolution::kPaused);
  EXPECT_FALSE(decision.told_end.has_value());
  EXPECT_EQ(state_.sequence, 8);
}

TEST_F(FlappingTest, TransitionsAreForgottenAfterAnHour) {
  FlipUntil(6);
  definition_.schedule.timeout = absl::Hours(3);
  const Decision& decision = Push(DownAt(Second(100 + 3600)));  // the first one is an hour old
  EXPECT_FALSE(decision.opened->held_until.has_value());
  EXPECT_FALSE(state_.flapping_since.has_value());
}

TEST_F(FlappingTest, ADeadJobIsToldAtMostFifteenMinutesLate) {
  FlipUntil(8);  // UP at 170; its deadline is 230
  Check(231);
  EXPECT_EQ(state_.incident->held_until, Second(230) + kSteadySpan);
  Check(230 + 900);
  EXPECT_TRUE(Check(230 + 900).told);
}

TEST_F(FlappingTest, WhatWasNoticedLongAfterItHappenedIsNotHeldBack) {
  FlipUntil(8);
  const Decision& decision = Check(5000);  // down since 230
  EXPECT_TRUE(decision.told_end.has_value()) << "before the new beginning";
  EXPECT_FALSE(decision.opened->held_until.has_value());
  EXPECT_EQ(state_.sequence, 9);
}

TEST_F(FlappingTest, AFalseAlarmIsNoTransition) {
  Check(61);
  EXPECT_EQ(state_.transitions.size(), 1u);
  PushLate(UpAt(Second(59)), 62);
  EXPECT_TRUE(state_.transitions.empty());
}

TEST_F(FlappingTest, RemindersAreHeldBackWhileItFlaps) {
  definition_.reminder_interval = absl::Seconds(60);
  FlipUntil(7);  // told at 160
  EXPECT_EQ(Check(221).reason, Reason::kHeldBack);
  EXPECT_EQ(state_.sequence, 7);
  Check(160 + 900 + 61);
  EXPECT_EQ(state_.sequence, 8);
}

}  // namespace
}  // namespace tocsin::core
