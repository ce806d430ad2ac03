// An up whose value is out of range is a failure.
#include <gtest/gtest.h>

#include "services/core/domain/testing/transition_fixture.h"

namespace tocsin::core {
namespace {

using testing::DownAt;
using testing::Second;
using testing::UpAt;
using testing::UpSince;

class ValueTest : public testing::TransitionTest {
 protected:
  ValueTest() {
    definition_.value_min = -1;
    definition_.value_max = 100;
    state_ = UpSince(Second(0));
  }
  static Heartbeat With(double value, double at, std::string message = "") {
    Heartbeat heartbeat = testing::Beat(HeartbeatKind::kUp, Second(at), std::move(message));
    heartbeat.value = value;
    return heartbeat;
  }
};

TEST_F(ValueTest, BothBoundsAreInRange) {
  EXPECT_EQ(Push(With(-1, 10)).reason, Reason::kRecorded);
  EXPECT_EQ(Push(With(100, 20)).reason, Reason::kRecorded);
  EXPECT_EQ(Push(With(0, 30)).reason, Reason::kRecorded);
}

TEST_F(ValueTest, OutOfRangeOpensAnIncidentWithWhatTheJobSaid) {
  for (const double value : {-1.001, 100.001}) {
    state_ = UpSince(Second(0));
    const Decision& decision = Push(With(value, 10, "rows"));
    EXPECT_EQ(decision.reason, Reason::kOutOfRange);
    ASSERT_TRUE(decision.opened.has_value());
    EXPECT_EQ(decision.opened->cause, Cause::kValueOutOfRange);
    EXPECT_EQ(decision.opened->opened_at, Second(10));
    EXPECT_EQ(decision.opened->message, "rows");
    EXPECT_EQ(state_.last_at, Second(10));
  }
}

TEST_F(ValueTest, OneBoundAloneCounts) {
  definition_.value_max.reset();
  EXPECT_EQ(Push(With(1e300, 10)).reason, Reason::kRecorded);
  EXPECT_EQ(Push(With(-2, 20)).reason, Reason::kOutOfRange);
  state_ = UpSince(Second(0));
  definition_.value_min.reset();
  definition_.value_max = 0;
  EXPECT_EQ(Push(With(-1e300, 10)).reason, Reason::kRecorded);
  EXPECT_EQ(Push(With(0.5, 20)).reason, Reason::kOutOfRange);
}

TEST_F(ValueTest, AnUpWithoutAValueIsASuccess) {
  EXPECT_EQ(Push(UpAt(Second(10))).reason, Reason::kRecorded);
}

TEST_F(ValueTest, WithoutBoundsEveryValueIsASuccess) {
  definition_.value_min.reset();
  definition_.value_max.reset();
  EXPECT_EQ(Push(With(1e300, 10)).reason, Reason::kRecorded);
}

TEST_F(ValueTest, BelowTheThresholdItIsCounted) {
  definition_.failure_threshold = 2;
  EXPECT_EQ(Push(With(200, 10)).reason, Reason::kCounted);
  EXPECT_EQ(state_.state, State::kUp);
  EXPECT_EQ(At(), Second(70));
  EXPECT_EQ(Push(With(200, 20)).reason, Reason::kOutOfRange);
}

TEST_F(ValueTest, ADownKeepsItsCauseWhateverItsValue) {
  Heartbeat down = DownAt(Second(10));
  down.value = 200;
  EXPECT_EQ(Push(down).reason, Reason::kReportedDown);
  EXPECT_EQ(state_.incident->cause, Cause::kReportedDown);
}

TEST_F(ValueTest, WhileDownItIsOneMoreFailureThatStartsTheRecoveryAnew) {
  definition_.recovery_threshold = 2;
  Push(DownAt(Second(10)));
  Push(With(5, 20));
  ASSERT_EQ(state_.successes, 1);
  const Decision& decision = Push(With(200, 30, "too many"));
  EXPECT_EQ(decision.reason, Reason::kStillDown);
  EXPECT_TRUE(decision.message_changed);
  EXPECT_EQ(state_.incident->message, "too many");
  EXPECT_EQ(state_.incident->cause, Cause::kReportedDown);
  EXPECT_EQ(state_.successes, 0);
}

TEST_F(ValueTest, AValueInRangeEndsTheAlarm) {
  Push(With(200, 10));
  EXPECT_EQ(Push(With(50, 20)).reason, Reason::kRecovered);
}

TEST_F(ValueTest, ALateUpOutOfRangeDoesNotProveAMissWrong) {
  MakeDownByMiss();
  EXPECT_EQ(PushLate(With(200, 59), 62).reason, Reason::kStillDown);
  EXPECT_EQ(state_.state, State::kDown);
}

TEST_F(ValueTest, ItEndsItsRunAsADownDoes) {
  definition_.max_run_duration = absl::Seconds(100);
  Start(10, "a");
  Heartbeat end = With(200, 30);
  end.run_id = "a";
  EXPECT_EQ(Push(end).reason, Reason::kOutOfRange);
  EXPECT_EQ(decision_.run_duration, absl::Seconds(20));
  EXPECT_TRUE(state_.runs.empty());
}

TEST_F(ValueTest, AStaleOneChangesNothing) {
  Push(UpAt(Second(20)));
  EXPECT_EQ(PushLate(With(200, 10), 21).reason, Reason::kStale);
  EXPECT_EQ(state_.state, State::kUp);
}

TEST_F(ValueTest, AnUpOutOfRangeIsNotSteady) {
  EXPECT_TRUE(IsSteadyUp(definition_, state_, With(50, 10)));
  EXPECT_FALSE(IsSteadyUp(definition_, state_, With(200, 10)));
}

TEST_F(ValueTest, AStartOrALogOutOfRangeFailsNothing) {
  Heartbeat start = With(200, 10);
  start.kind = HeartbeatKind::kStart;
  EXPECT_EQ(Push(start).reason, Reason::kRunStarted);
  Heartbeat log = With(200, 11);
  log.kind = HeartbeatKind::kLog;
  EXPECT_EQ(Push(log).reason, Reason::kLogged);
}

}  // namespace
}  // namespace tocsin::core
