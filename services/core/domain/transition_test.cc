// Every row of the state table of product.md, and what the table leaves open.
#include "services/core/domain/transition.h"

#include <gtest/gtest.h>

#include "services/core/domain/deadline.h"
#include "services/core/domain/testing/builders.h"
#include "services/core/domain/testing/transition_fixture.h"

namespace tocsin::core {
namespace {

using testing::Beat;
using testing::DownAt;
using testing::MinuteMonitor;
using testing::Second;
using testing::TransitionTest;
using testing::UpAt;
using testing::UpSince;

TEST_F(TransitionTest, TheFirstUpMakesANewMonitorUpAndArmsItsDeadline) {
  EXPECT_EQ(Push(UpAt(Second(5))).reason, Reason::kFirstHeartbeat);
  EXPECT_EQ(state_.state, State::kUp);
  EXPECT_EQ(At(), Second(65));
  EXPECT_EQ(state_.sequence, 0);
}

TEST_F(TransitionTest, AnUpWhileUpRearmsTheDeadline) {
  state_ = UpSince(Second(0));
  EXPECT_EQ(Push(UpAt(Second(30))).reason, Reason::kRecorded);
  EXPECT_EQ(At(), Second(90));
}

TEST_F(TransitionTest, AnUpForgetsFailuresBelowTheThreshold) {
  definition_.failure_threshold = 3;
  state_ = UpSince(Second(0));
  Push(DownAt(Second(10)));
  Push(DownAt(Second(20)));
  EXPECT_EQ(state_.failures, 2);
  Push(UpAt(Second(30)));
  EXPECT_EQ(state_.failures, 0);
  EXPECT_EQ(state_.state, State::kUp);
}

TEST_F(TransitionTest, ADownOpensAnIncidentWithWhatTheJobSaid) {
  state_ = UpSince(Second(0));
  const Decision& decision =
      PushLate(Beat(HeartbeatKind::kDown, Second(10), "disk full"), /*now=*/10.5);
  EXPECT_EQ(decision.reason, Reason::kReportedDown);
  ASSERT_TRUE(decision.opened.has_value());
  EXPECT_EQ(decision.opened->cause, Cause::kReportedDown);
  EXPECT_EQ(decision.opened->opened_at, Second(10));
  EXPECT_EQ(decision.opened->detected_at, Second(10.5));
  EXPECT_EQ(decision.opened->message, "disk full");
  EXPECT_FALSE(decision.expected_at.has_value());
  EXPECT_EQ(state_.state, State::kDown);
  EXPECT_EQ(state_.sequence, 1);
  ASSERT_TRUE(state_.incident.has_value());
  EXPECT_EQ(At(), absl::InfiniteFuture());
}

TEST_F(TransitionTest, ADownAsTheFirstHeartbeatOpensAnIncidentToo) {
  EXPECT_EQ(Push(DownAt(Second(3))).reason, Reason::kReportedDown);
  EXPECT_EQ(state_.state, State::kDown);
}

TEST_F(TransitionTest, ADownBelowTheThresholdIsCountedAndRearmsTheDeadline) {
  definition_.failure_threshold = 2;
  state_ = UpSince(Second(0));
  EXPECT_EQ(Push(DownAt(Second(30))).reason, Reason::kCounted);
  EXPECT_EQ(state_.state, State::kUp);
  EXPECT_EQ(At(), Second(90));
  EXPECT_EQ(Push(DownAt(Second(40))).reason, Reason::kReportedDown);
}

TEST_F(TransitionTest, ExactlyAtTheDeadlineIsStillInTime) {
  state_ = UpSince(Second(0));
  EXPECT_EQ(Check(60).reason, Reason::kNotDue);
  EXPECT_EQ(state_.state, State::kUp);
}

TEST_F(TransitionTest, APassedDeadlineOpensAnIncidentStampedWithTheDeadline) {
  definition_.schedule.grace = absl::Seconds(5);
  state_ = UpSince(Second(0));
  const Decision& decision = Check(65.25);
  EXPECT_EQ(decision.reason, Reason::kMissed);
  ASSERT_TRUE(decision.opened.has_value());
  EXPECT_EQ(decision.opened->cause, Cause::kMissedDeadline);
  EXPECT_EQ(decision.opened->opened_at, Second(65));
  EXPECT_EQ(decision.opened->detected_at, Second(65.25));
  EXPECT_EQ(decision.expected_at, Second(60));
  EXPECT_EQ(decision.opened->message, "");
}

TEST_F(TransitionTest, ANewMonitorAlertsOnlyWhenArmed) {
  EXPECT_EQ(Check(1e6).reason, Reason::kNotDue);
  state_.armed_at = Second(0);
  EXPECT_EQ(Check(61).reason, Reason::kMissed);
  EXPECT_EQ(state_.incident->opened_at, Second(60));
}

TEST_F(TransitionTest, TheThirdMissInARowIsThreeTimeoutsAfterTheLastHeartbeat) {
  definition_.failure_threshold = 3;
  state_ = UpSince(Second(0));
  EXPECT_EQ(Check(61).reason, Reason::kCounted);
  EXPECT_EQ(Check(61).reason, Reason::kNotDue);
  EXPECT_EQ(Check(121).reason, Reason::kCounted);
  EXPECT_EQ(Check(180).reason, Reason::kNotDue);
  EXPECT_EQ(Check(181).reason, Reason::kMissed);
  EXPECT_EQ(state_.incident->opened_at, Second(180));
}

TEST_F(TransitionTest, MissesAreATimeoutApartAlsoAfterAPostponedDeadline) {
  definition_.failure_threshold = 2;
  state_ = UpSince(Second(0));
  const GapList gaps = {testing::CoreGap(Second(50), Second(650))};
  EXPECT_EQ(Give(DeadlineChecked{}, 711, gaps).reason, Reason::kCounted);
  EXPECT_EQ(Give(DeadlineChecked{}, 711, gaps).reason, Reason::kNotDue);
  EXPECT_EQ(Give(DeadlineChecked{}, 770, gaps).reason, Reason::kNotDue);
  EXPECT_EQ(Give(DeadlineChecked{}, 771, gaps).reason, Reason::kMissed);
}

TEST_F(TransitionTest, AnUpWhileDownClosesTheIncident) {
  MakeDownByMiss();
  const Decision& decision = Push(UpAt(Second(100)));
  EXPECT_EQ(decision.reason, Reason::kRecovered);
  ASSERT_TRUE(decision.closed.has_value());
  EXPECT_EQ(decision.closed->closed_at, Second(100));
  EXPECT_EQ(decision.closed->resolution, Resolution::kRecovered);
  EXPECT_FALSE(decision.withdraw_unsent_firing);
  EXPECT_EQ(state_.state, State::kUp);
  EXPECT_FALSE(state_.incident.has_value());
  EXPECT_EQ(state_.sequence, 2);
  EXPECT_EQ(At(), Second(160));
}

TEST_F(TransitionTest, RecoveryBelowItsThresholdIsCountedAndArmsADeadline) {
  definition_.recovery_threshold = 2;
  MakeDownByMiss();
  EXPECT_EQ(Push(UpAt(Second(100))).reason, Reason::kCounted);
  EXPECT_EQ(state_.state, State::kDown);
  EXPECT_EQ(At(), Second(160));
  EXPECT_EQ(Check(161).reason, Reason::kStillDown);
  EXPECT_EQ(state_.successes, 0);
  EXPECT_EQ(At(), absl::InfiniteFuture());
  Push(UpAt(Second(200)));
  EXPECT_EQ(Push(UpAt(Second(210))).reason, Reason::kRecovered);
}

TEST_F(TransitionTest, ADownWhileDownUpdatesTheMessageAndFiresNothing) {
  MakeDownByMiss();
  const Decision& decision = Push(DownAt(Second(90), "cannot reach the disk"));
  EXPECT_EQ(decision.reason, Reason::kStillDown);
  EXPECT_TRUE(decision.message_changed);
  EXPECT_FALSE(decision.opened.has_value());
  EXPECT_EQ(state_.incident->message, "cannot reach the disk");
  EXPECT_EQ(state_.incident->cause, Cause::kMissedDeadline);
  EXPECT_EQ(state_.sequence, 1);
  EXPECT_FALSE(Push(DownAt(Second(95), "")).message_changed);
  EXPECT_EQ(state_.incident->message, "cannot reach the disk");
}

TEST_F(TransitionTest, ADownWhileDownStartsTheRecoveryAnew) {
  definition_.recovery_threshold = 2;
  MakeDownByMiss();
  Push(UpAt(Second(100)));
  Push(DownAt(Second(110)));
  EXPECT_EQ(state_.successes, 0);
  EXPECT_EQ(Push(UpAt(Second(120))).reason, Reason::kCounted);
}

TEST_F(TransitionTest, StartAndLogChangeNothing) {
  for (const State state : {State::kNew, State::kUp, State::kDown}) {
    state_ = UpSince(Second(0));
    if (state == State::kNew) state_ = MonitorState{};
    if (state == State::kDown) MakeDownByMiss();
    const MonitorState before = state_;
    EXPECT_EQ(Push(Beat(HeartbeatKind::kStart, Second(70))).reason, Reason::kRunStarted);
    EXPECT_EQ(Push(Beat(HeartbeatKind::kLog, Second(71))).reason, Reason::kLogged);
    EXPECT_EQ(state_.state, before.state);
    EXPECT_EQ(state_.last_at, before.last_at);
    EXPECT_EQ(state_.sequence, before.sequence);
  }
}

TEST_F(TransitionTest, APauseClearsTheDeadline) {
  state_ = UpSince(Second(0));
  EXPECT_EQ(Give(Paused{}, 10).reason, Reason::kPaused);
  EXPECT_EQ(state_.state, State::kPaused);
  EXPECT_EQ(At(), absl::InfiniteFuture());
  EXPECT_EQ(Check(1e6).reason, Reason::kNotDue);
  EXPECT_EQ(Give(Paused{}, 20).reason, Reason::kNothingToDo);
}

TEST_F(TransitionTest, APauseClosesTheIncidentAndSaysSo) {
  MakeDownByMiss();
  const Decision& decision = Give(Paused{}, 90);
  ASSERT_TRUE(decision.closed.has_value());
  EXPECT_EQ(decision.closed->resolution, Resolution::kPaused);
  EXPECT_EQ(decision.closed->closed_at, Second(90));
  EXPECT_EQ(state_.sequence, 2);
}

TEST_F(TransitionTest, HeartbeatsOfAPausedMonitorAreStoredOnly) {
  state_ = UpSince(Second(0));
  Give(Paused{}, 10);
  for (const HeartbeatKind kind :
       {HeartbeatKind::kUp, HeartbeatKind::kDown, HeartbeatKind::kStart, HeartbeatKind::kLog}) {
    EXPECT_EQ(Push(Beat(kind, Second(20))).reason, Reason::kStoredPaused);
    EXPECT_EQ(state_.state, State::kPaused);
    EXPECT_EQ(state_.last_at, Second(0));
  }
}

TEST_F(TransitionTest, AHeartbeatResumesWhenAskedTo) {
  definition_.resume_on_heartbeat = true;
  state_ = UpSince(Second(0));
  Give(Paused{}, 10);
  EXPECT_EQ(Push(Beat(HeartbeatKind::kLog, Second(15))).reason, Reason::kStoredPaused);
  EXPECT_EQ(Push(UpAt(Second(20))).reason, Reason::kResumed);
  EXPECT_EQ(state_.state, State::kUp);
  EXPECT_EQ(At(), Second(80));
}

TEST_F(TransitionTest, AStartResumesAndArmsTheDeadlineFromThen) {
  definition_.resume_on_heartbeat = true;
  state_ = UpSince(Second(0));
  Give(Paused{}, 10);
  EXPECT_EQ(Push(Beat(HeartbeatKind::kStart, Second(20))).reason, Reason::kResumed);
  EXPECT_EQ(state_.state, State::kUp);
  EXPECT_EQ(At(), Second(80));
}

TEST_F(TransitionTest, ADownThatResumesOpensAnIncident) {
  definition_.resume_on_heartbeat = true;
  state_ = UpSince(Second(0));
  Give(Paused{}, 10);
  EXPECT_EQ(Push(DownAt(Second(20))).reason, Reason::kReportedDown);
  EXPECT_EQ(state_.state, State::kDown);
}

TEST_F(TransitionTest, AHeartbeatReceivedBeforeThePauseDoesNotResume) {
  definition_.resume_on_heartbeat = true;
  state_ = UpSince(Second(0));
  Give(Paused{}, 10);
  EXPECT_EQ(PushLate(UpAt(Second(9.9)), /*now=*/10.1).reason, Reason::kStoredPaused);
  EXPECT_EQ(state_.state, State::kPaused);
}

TEST_F(TransitionTest, AResumedMonitorIsJudgedFromThenOn) {
  state_ = UpSince(Second(0));
  Give(Paused{}, 10);
  EXPECT_EQ(Give(Resumed{}, 1000).reason, Reason::kResumed);
  EXPECT_EQ(state_.state, State::kUp);
  EXPECT_EQ(At(), Second(1060));
  EXPECT_EQ(Give(Resumed{}, 1010).reason, Reason::kNothingToDo);
  EXPECT_EQ(At(), Second(1060));
  EXPECT_EQ(Check(1061).reason, Reason::kMissed);
}

TEST_F(TransitionTest, AMonitorThatWasNeverPushedResumesAsNewAndArmedOnlyWithArmOnCreate) {
  Give(Paused{}, 10);
  Give(Resumed{}, 20);
  EXPECT_EQ(state_.state, State::kNew);
  EXPECT_EQ(At(), absl::InfiniteFuture());
  definition_.arm_on_create = true;
  Give(Paused{}, 30);
  Give(Resumed{}, 40);
  EXPECT_EQ(state_.state, State::kNew);
  EXPECT_EQ(At(), Second(100));
}

TEST_F(TransitionTest, AChangeOfScheduleCountsFromTheLastHeartbeatButGivesOneFullTimeout) {
  state_ = UpSince(Second(0));
  Reconfigured change{.replaced = definition_.schedule};
  definition_.schedule.timeout = absl::Seconds(600);
  Give(change, 10);
  EXPECT_EQ(At(), Second(610));
  change.replaced = definition_.schedule;
  definition_.schedule.timeout = absl::Seconds(30);
  Give(change, 500);
  EXPECT_EQ(At(), Second(530));
}

TEST_F(TransitionTest, AChangeOfOtherFieldsMovesNothing) {
  state_ = UpSince(Second(0));
  definition_.owner = "payments";
  EXPECT_EQ(Give(Reconfigured{}, 59).reason, Reason::kReconfigured);
  EXPECT_EQ(At(), Second(60));
}

TEST_F(TransitionTest, ArmOnCreateSetLaterArmsAMonitorThatNeverReportedFromThenOn) {
  definition_.arm_on_create = true;
  Give(Reconfigured{}, 500);
  EXPECT_EQ(At(), Second(560));
  definition_.arm_on_create = false;
  Give(Reconfigured{}, 510);
  EXPECT_EQ(At(), absl::InfiniteFuture());
}

TEST_F(TransitionTest, ADeletionClosesTheIncident) {
  MakeDownByMiss();
  const Decision& decision = Give(Deleted{}, 90);
  EXPECT_EQ(decision.reason, Reason::kDeleted);
  ASSERT_TRUE(decision.closed.has_value());
  EXPECT_EQ(decision.closed->resolution, Resolution::kDeleted);
  EXPECT_EQ(state_.sequence, 2);
  EXPECT_EQ(At(), absl::InfiniteFuture());
}

TEST_F(TransitionTest, AnUndeletedMonitorIsPaused) {
  state_ = UpSince(Second(0));
  Give(Deleted{}, 10);
  EXPECT_EQ(Give(Undeleted{}, 20).reason, Reason::kUndeleted);
  EXPECT_EQ(state_.state, State::kPaused);
  EXPECT_FALSE(decision_.closed.has_value());
}

TEST_F(TransitionTest, ADeletedMonitorIsNotResumedByAHeartbeat) {
  definition_.resume_on_heartbeat = true;
  state_ = UpSince(Second(0));
  Give(Deleted{}, 10);
  definition_.deleted_at = Second(10);
  EXPECT_EQ(Push(UpAt(Second(11))).reason, Reason::kStoredPaused);
  EXPECT_EQ(Give(Resumed{}, 12).reason, Reason::kNothingToDo);
}

TEST_F(TransitionTest, AHeartbeatOlderThanTheNewestIsStale) {
  state_ = UpSince(Second(10));
  EXPECT_EQ(PushLate(UpAt(Second(9)), 11).reason, Reason::kStale);
  EXPECT_EQ(PushLate(DownAt(Second(9)), 11).reason, Reason::kStale);
  EXPECT_EQ(state_.state, State::kUp);
  EXPECT_EQ(state_.last_at, Second(10));
}

TEST_F(TransitionTest, AnUpOlderThanTheDownThatOpenedTheIncidentIsStale) {
  state_ = UpSince(Second(0));
  Push(DownAt(Second(10)));
  EXPECT_EQ(PushLate(UpAt(Second(9)), 11).reason, Reason::kStale);
  EXPECT_EQ(state_.state, State::kDown);
}

TEST_F(TransitionTest, AnUpReceivedInTimeButCommittedLateClosesTheIncidentWhereItBegan) {
  for (const double at : {30.0, 60.0}) {
    MakeDownByMiss();
    const Decision& decision = PushLate(UpAt(Second(at)), /*now=*/61.5);
    EXPECT_EQ(decision.reason, Reason::kLateHeartbeat);
    EXPECT_TRUE(decision.withdraw_unsent_firing);
    ASSERT_TRUE(decision.closed.has_value());
    EXPECT_EQ(decision.closed->resolution, Resolution::kLateHeartbeat);
    EXPECT_EQ(decision.closed->closed_at, Second(60));
    EXPECT_EQ(state_.state, State::kUp);
    EXPECT_EQ(At(), Second(at + 60));
  }
}

TEST_F(TransitionTest, AnUpThatDoesNotMoveTheMissedDeadlineProvesNothing) {
  state_ = UpSince(Second(0));
  state_.armed_at = Second(20);
  Check(81);
  EXPECT_EQ(PushLate(UpAt(Second(19)), 82).reason, Reason::kStale);
  EXPECT_EQ(PushLate(UpAt(Second(-1)), 82).reason, Reason::kStale);
  EXPECT_EQ(state_.state, State::kDown);
}

TEST_F(TransitionTest, ALateUpDoesNotOutweighANewerDown) {
  MakeDownByMiss();
  Push(DownAt(Second(70)));
  EXPECT_EQ(PushLate(UpAt(Second(59)), 71).reason, Reason::kStale);
  EXPECT_EQ(state_.state, State::kDown);
}

TEST_F(TransitionTest, ALateUpClosesAlsoAnIncidentThatIsAlreadyRecovering) {
  definition_.recovery_threshold = 2;
  MakeDownByMiss();
  Push(UpAt(Second(62)));
  EXPECT_EQ(PushLate(UpAt(Second(59)), 63).reason, Reason::kLateHeartbeat);
  EXPECT_EQ(state_.last_at, Second(62));
  EXPECT_EQ(state_.state, State::kUp);
}

TEST_F(TransitionTest, ALateDownDoesNotFireAgain) {
  MakeDownByMiss();
  EXPECT_EQ(PushLate(DownAt(Second(55), "killed"), 62).reason, Reason::kStillDown);
  EXPECT_EQ(state_.incident->message, "killed");
  EXPECT_EQ(state_.sequence, 1);
}

TEST_F(TransitionTest, TheSweeperLooksAtThePlainDeadline) {
  EXPECT_EQ(SweepAt(definition_, state_), absl::InfiniteFuture());
  EXPECT_EQ(SweepAt(definition_, UpSince(Second(0))), Second(60));
}

TEST_F(TransitionTest, OnlyAPlainUpOfAnUpMonitorIsSteady) {
  const MonitorState up = UpSince(Second(10));
  EXPECT_TRUE(IsSteadyUp(MinuteMonitor(), up, UpAt(Second(10))));
  EXPECT_FALSE(IsSteadyUp(MinuteMonitor(), up, UpAt(Second(9))));
  EXPECT_FALSE(IsSteadyUp(MinuteMonitor(), up, DownAt(Second(11))));
  Heartbeat ends_a_run = UpAt(Second(11));
  ends_a_run.run_id = "r1";
  EXPECT_FALSE(IsSteadyUp(MinuteMonitor(), up, ends_a_run));
  MonitorState failing = up;
  failing.failures = 1;
  EXPECT_FALSE(IsSteadyUp(MinuteMonitor(), failing, UpAt(Second(11))));
  EXPECT_FALSE(IsSteadyUp(MinuteMonitor(), MonitorState{}, UpAt(Second(11))));
}

TEST_F(TransitionTest, TheTimeOfAChangeOfStateIsThatOfWhatChangedIt) {
  state_.changed_at = Second(0);  // as created
  Push(UpAt(Second(5)));
  EXPECT_EQ(state_.changed_at, Second(5));
  Push(UpAt(Second(30)));  // steady
  EXPECT_EQ(state_.changed_at, Second(5));
  Check(200);
  ASSERT_EQ(state_.state, State::kDown);
  EXPECT_EQ(state_.changed_at, Second(90));  // the deadline
  Push(DownAt(Second(210)));                 // DOWN before and after
  EXPECT_EQ(state_.changed_at, Second(90));
  Push(UpAt(Second(220)));
  EXPECT_EQ(state_.changed_at, Second(220));
  Give(Paused{}, 230);
  EXPECT_EQ(state_.changed_at, Second(230));
  Give(Paused{}, 235);
  Give(Deleted{}, 240);  // PAUSED already
  EXPECT_EQ(state_.changed_at, Second(230));
}

TEST_F(TransitionTest, TheTimeOfAChangeOfStateNeverGoesBack) {
  MakeDownByMiss();
  ASSERT_EQ(state_.changed_at, Second(60));
  PushLate(UpAt(Second(50)), 62);  // there was no outage
  EXPECT_EQ(state_.state, State::kUp);
  EXPECT_EQ(state_.changed_at, Second(60));
}

}  // namespace
}  // namespace tocsin::core
