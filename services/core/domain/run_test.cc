// Runs: starts, ends, limits, and what a run that took too long leads to.
#include "services/core/domain/run.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/core/domain/condition.h"
#include "services/core/domain/testing/transition_fixture.h"

namespace tocsin::core {
namespace {

using testing::CoreGap;
using testing::DownAt;
using testing::Second;
using testing::UpAt;
using testing::UpSince;

// Timeout 60 s; a run may take 100 s.
class RunTest : public testing::TransitionTest {
 protected:
  RunTest() {
    definition_.max_run_duration = absl::Seconds(100);
    state_ = UpSince(Second(0));
  }

  Condition ConditionAt(double now) const {
    return ConditionOf(definition_, state_, {}, Second(now)).condition;
  }
};

TEST_F(RunTest, AStartSatisfiesThePendingExpectationAndArmsTheDeadlineOfItsRun) {
  EXPECT_EQ(Start(50).reason, Reason::kRunStarted);
  EXPECT_EQ(At(), Second(150));
  EXPECT_EQ(Due().cause, Cause::kRunOverran);
  EXPECT_EQ(Check(111).reason, Reason::kNotDue);  // one timeout after the last heartbeat is over
  EXPECT_EQ(Check(150).reason, Reason::kNotDue);
  EXPECT_EQ(state_.last_at, Second(0));
}

TEST_F(RunTest, WithoutALimitAStartArmsNothing) {
  definition_.max_run_duration = absl::ZeroDuration();
  Start(50);
  EXPECT_EQ(At(), Second(60));
  EXPECT_EQ(Check(61).reason, Reason::kMissed);
}

TEST_F(RunTest, TheEndTellsHowLongTheRunTookAndTheScheduleCountsFromIt) {
  Start(50);
  const Decision& decision = End(120);
  EXPECT_EQ(decision.reason, Reason::kRecorded);
  EXPECT_EQ(decision.run_duration, absl::Seconds(70));
  EXPECT_TRUE(decision.ended_run.empty());
  EXPECT_TRUE(state_.runs.empty());
  EXPECT_EQ(At(), Second(180));
}

TEST_F(RunTest, ADownEndsItsRunToo) {
  Start(50, "r1");
  Heartbeat down = OfRun(HeartbeatKind::kDown, 60, "r1");
  EXPECT_EQ(Push(down).reason, Reason::kReportedDown);
  EXPECT_EQ(decision_.run_duration, absl::Seconds(10));
  EXPECT_EQ(decision_.ended_run, "r1");
  EXPECT_TRUE(state_.runs.empty());
}

TEST_F(RunTest, ALogOfARunEndsNothing) {
  Start(50, "r1");
  Push(OfRun(HeartbeatKind::kLog, 60, "r1"));
  EXPECT_EQ(state_.runs.size(), 1);
}

TEST_F(RunTest, AnEndWithoutAStartIsAnUpThatTellsNoDuration) {
  EXPECT_EQ(End(30, "r1").reason, Reason::kRecorded);
  EXPECT_FALSE(decision_.run_duration.has_value());
  EXPECT_EQ(decision_.ended_run, "r1");
}

TEST_F(RunTest, AnOverrunOpensAnIncidentStampedWithTheDeadlineOfTheRun) {
  Start(50, "r1");
  const Decision& decision = Check(151);
  EXPECT_EQ(decision.reason, Reason::kRunOverran);
  ASSERT_TRUE(decision.opened.has_value());
  EXPECT_EQ(decision.opened->cause, Cause::kRunOverran);
  EXPECT_EQ(decision.opened->opened_at, Second(150));
  EXPECT_EQ(decision.opened->detected_at, Second(151));
  EXPECT_EQ(decision.expected_at, Second(150));
  EXPECT_EQ(state_.misses, 0);
  EXPECT_EQ(Check(1000).reason, Reason::kNotDue);
}

TEST_F(RunTest, TheEndAfterAnOverrunRecoversAndTellsHowLongItTook) {
  Start(50, "r1");
  Check(151);
  EXPECT_EQ(End(200, "r1").reason, Reason::kRecovered);
  EXPECT_EQ(decision_.run_duration, absl::Seconds(150));
  EXPECT_EQ(decision_.closed->closed_at, Second(200));
  EXPECT_TRUE(state_.runs.empty());
  EXPECT_EQ(At(), Second(260));
}

TEST_F(RunTest, AnOverrunBelowTheThresholdIsCountedOnceAndTheScheduleCountsAgain) {
  definition_.failure_threshold = 2;
  Start(50);
  EXPECT_EQ(Check(151).reason, Reason::kCounted);
  EXPECT_EQ(state_.failures, 1);
  EXPECT_EQ(Check(152).reason, Reason::kNotDue);
  EXPECT_EQ(Due().cause, Cause::kMissedDeadline);
  EXPECT_EQ(At(), Second(210));
  EXPECT_EQ(Check(211).reason, Reason::kMissed);
}

TEST_F(RunTest, AnEndAfterAnOverrunBelowTheThresholdForgetsIt) {
  definition_.failure_threshold = 2;
  Start(50);
  Check(151);
  End(160);
  EXPECT_EQ(state_.failures, 0);
  EXPECT_EQ(At(), Second(220));
}

TEST_F(RunTest, AnEndThatWasInTimeButCommittedLateClosesTheIncidentOfItsRun) {
  for (const double at : {149.9, 150.0}) {
    state_ = UpSince(Second(0));
    Start(50, "r1");
    Check(150.5);
    ASSERT_EQ(state_.state, State::kDown);
    const Decision& decision = PushLate(OfRun(HeartbeatKind::kUp, at, "r1"), 151);
    EXPECT_EQ(decision.reason, Reason::kLateHeartbeat);
    EXPECT_TRUE(decision.withdraw_unsent_firing);
    EXPECT_EQ(decision.closed->closed_at, Second(150));
    EXPECT_EQ(decision.run_duration, Second(at) - Second(50));
    EXPECT_EQ(state_.state, State::kUp);
    EXPECT_EQ(At(), Second(at + 60));
  }
}

TEST_F(RunTest, AnEndThatWasLateRecoversInsteadOfProvingTheIncidentWrong) {
  Start(50, "r1");
  Check(151);
  EXPECT_EQ(PushLate(OfRun(HeartbeatKind::kUp, 150.1, "r1"), 152).reason, Reason::kRecovered);
}

TEST_F(RunTest, AnotherUpThatWasReceivedBeforeAnOverrunDoesNotProveItWrong) {
  Start(50, "r1");
  Check(151);
  EXPECT_EQ(PushLate(UpAt(Second(149)), 152).reason, Reason::kStale);
  EXPECT_EQ(PushLate(OfRun(HeartbeatKind::kUp, 149, "r2"), 152).reason, Reason::kStale);
  EXPECT_EQ(state_.state, State::kDown);
}

// --- Several runs ---

TEST_F(RunTest, NamedRunsAreJudgedEachOnTheirOwn) {
  Start(10, "a");
  Start(40, "b");
  EXPECT_EQ(At(), Second(110));
  EXPECT_EQ(Due().run_id, "a");
  End(50, "a");
  EXPECT_EQ(At(), Second(140));
  EXPECT_EQ(Due().run_id, "b");
  EXPECT_EQ(Check(141).reason, Reason::kRunOverran);
}

TEST_F(RunTest, TheUnnamedRunIsOneBesideTheNamedOnes) {
  Start(10);
  Start(20, "a");
  EXPECT_EQ(state_.runs.size(), 2);
  End(30);
  ASSERT_EQ(state_.runs.size(), 1);
  EXPECT_EQ(state_.runs[0].id, "a");
  EXPECT_EQ(decision_.run_duration, absl::Seconds(20));
}

TEST_F(RunTest, TwoRunsThatOverranAreTwoFailures) {
  definition_.failure_threshold = 2;
  Start(10, "a");
  Start(40, "b");
  EXPECT_EQ(Check(111).reason, Reason::kCounted);
  EXPECT_EQ(Check(141).reason, Reason::kRunOverran);
  EXPECT_EQ(state_.incident->opened_at, Second(140));
}

TEST_F(RunTest, AnUpOfAnotherRunDoesNotEndThisOneOrItsDeadline) {
  Start(10, "a");
  End(20, "b");
  Push(UpAt(Second(30)));
  EXPECT_EQ(At(), Second(110));
  EXPECT_EQ(Check(111).reason, Reason::kRunOverran);
}

TEST_F(RunTest, ANamedStartIsTakenOnce) {
  Start(10, "a");
  EXPECT_EQ(Start(70, "a").reason, Reason::kRunStarted);
  EXPECT_EQ(At(), Second(110));
  EXPECT_EQ(state_.runs.size(), 1);
}

TEST_F(RunTest, ANewUnnamedStartRestartsTheUnnamedRun) {
  Start(10);
  EXPECT_EQ(Start(70).reason, Reason::kRunStarted);
  EXPECT_EQ(At(), Second(170));
  EXPECT_EQ(state_.runs.size(), 1);
  End(90);
  EXPECT_EQ(decision_.run_duration, absl::Seconds(20));
}

TEST_F(RunTest, AnUnnamedStartOlderThanTheOneThatIsOpenIsStale) {
  Start(50);
  EXPECT_EQ(PushLate(OfRun(HeartbeatKind::kStart, 49, ""), 51).reason, Reason::kStale);
  EXPECT_EQ(At(), Second(150));
}

TEST_F(RunTest, AnUnnamedStartOlderThanTheNewestUpOrDownIsStale) {
  Push(UpAt(Second(30)));
  EXPECT_EQ(PushLate(OfRun(HeartbeatKind::kStart, 29, ""), 31).reason, Reason::kStale);
  EXPECT_TRUE(state_.runs.empty());
  EXPECT_EQ(PushLate(OfRun(HeartbeatKind::kStart, 29, "a"), 31).reason, Reason::kRunStarted);
}

TEST_F(RunTest, AStartWhoseRunHasEndedIsStoredOnly) {
  const Decision& decision = Give(
      HeartbeatArrived{.heartbeat = OfRun(HeartbeatKind::kStart, 10, "a"), .run_ended = true}, 40);
  EXPECT_EQ(decision.reason, Reason::kStale);
  EXPECT_TRUE(state_.runs.empty());
  EXPECT_EQ(At(), Second(60));
}

TEST_F(RunTest, AnEndBeforeTheStartEndsItNot) {
  Start(50);
  EXPECT_EQ(PushLate(OfRun(HeartbeatKind::kUp, 40, ""), 51).reason, Reason::kRecorded);
  EXPECT_FALSE(decision_.run_duration.has_value());
  EXPECT_EQ(state_.runs.size(), 1);
  EXPECT_EQ(At(), Second(150));
}

TEST_F(RunTest, AnEndThatAnotherReplicaStampedBeforeTheStartEndsTheRun) {
  for (const char* id : {"", "a"}) {
    Start(50, id);
    Heartbeat end = OfRun(HeartbeatKind::kUp, 50, id);
    end.at -= absl::Milliseconds(60);
    EXPECT_EQ(PushLate(end, 51).reason, Reason::kRecorded) << id;
    EXPECT_EQ(decision_.run_duration, absl::ZeroDuration()) << id;
    EXPECT_TRUE(state_.runs.empty()) << id;
    state_ = UpSince(Second(0));
  }
}

TEST_F(RunTest, TheEndOfARunThatANewerHeartbeatHasOvertakenEndsItAllTheSame) {
  Start(10, "a");
  Push(UpAt(Second(40)));
  EXPECT_EQ(PushLate(OfRun(HeartbeatKind::kUp, 35, "a"), 41).reason, Reason::kRunEnded);
  EXPECT_EQ(decision_.run_duration, absl::Seconds(25));
  EXPECT_EQ(decision_.ended_run, "a");
  EXPECT_TRUE(state_.runs.empty());
  EXPECT_EQ(state_.last_at, Second(40));
  EXPECT_EQ(At(), Second(100));
}

TEST_F(RunTest, AStaleEndOfAnUnknownRunIsRememberedToo) {
  Push(UpAt(Second(40)));
  EXPECT_EQ(PushLate(OfRun(HeartbeatKind::kUp, 35, "a"), 41).reason, Reason::kStale);
  EXPECT_EQ(decision_.ended_run, "a");
}

// --- Memory ---

TEST_F(RunTest, ARunWithoutALimitIsForgottenAfterThreeDays) {
  definition_.max_run_duration = absl::ZeroDuration();
  definition_.schedule.timeout = absl::Hours(24 * 30);
  const double days = 72.0 * 3600;
  Start(50, "a");
  Give(DeadlineChecked{}, 50 + days);
  EXPECT_EQ(state_.runs.size(), 1);
  End(50 + days + 1, "a");
  EXPECT_FALSE(decision_.run_duration.has_value());
  EXPECT_TRUE(state_.runs.empty());
}

TEST_F(RunTest, ARunWithALimitIsRememberedUntilItWasJudged) {
  definition_.max_run_duration = absl::Hours(24 * 10);
  Start(50, "a");
  const double week = 7 * 24 * 3600.0;
  EXPECT_EQ(Check(week).reason, Reason::kNotDue);
  End(week + 1, "a");
  EXPECT_EQ(decision_.run_duration, absl::Seconds(week + 1 - 50));
}

TEST_F(RunTest, OfMoreThanTheMostRunsTheOldestThatNothingWaitsForIsForgotten) {
  definition_.max_run_duration = absl::ZeroDuration();
  for (size_t i = 0; i <= kMaxRuns; ++i) Start(1.0 + static_cast<double>(i), absl::StrCat("r", i));
  EXPECT_EQ(state_.runs.size(), kMaxRuns);
  EXPECT_EQ(state_.runs.front().id, "r1");
}

TEST_F(RunTest, AStartThatFindsTheMostRunsWithALimitOpenIsStoredOnly) {
  definition_.max_run_duration = absl::Hours(1);
  for (size_t i = 0; i < kMaxRuns; ++i) Start(1.0 + static_cast<double>(i), absl::StrCat("r", i));
  EXPECT_EQ(Start(500, "one more").reason, Reason::kTooManyRuns);
  EXPECT_EQ(state_.runs.size(), kMaxRuns);
  End(600, "r7");
  EXPECT_EQ(Start(700, "one more").reason, Reason::kRunStarted);
}

TEST_F(RunTest, RunsAreInOrderOfTheirStarts) {
  Start(50, "a");
  PushLate(OfRun(HeartbeatKind::kStart, 40, "b"), 51);
  ASSERT_EQ(state_.runs.size(), 2);
  EXPECT_EQ(state_.runs[0].id, "b");
}

// --- In every state ---

TEST_F(RunTest, ARunIsJudgedAlsoOfAMonitorThatIsNew) {
  state_ = MonitorState{};
  EXPECT_EQ(Start(50).reason, Reason::kRunStarted);
  EXPECT_EQ(state_.state, State::kNew);
  EXPECT_EQ(At(), Second(150));
  EXPECT_EQ(Check(151).reason, Reason::kRunOverran);
  EXPECT_EQ(state_.state, State::kDown);
}

TEST_F(RunTest, TheEndOfTheFirstRunMakesANewMonitorUp) {
  state_ = MonitorState{};
  Start(50);
  EXPECT_EQ(End(60).reason, Reason::kFirstHeartbeat);
  EXPECT_EQ(At(), Second(120));
}

TEST_F(RunTest, WhileDownAStartOpensItsRunAndItsOverrunFiresNothing) {
  MakeDownByMiss();
  EXPECT_EQ(Start(70).reason, Reason::kRunStarted);
  EXPECT_EQ(state_.state, State::kDown);
  EXPECT_EQ(At(), Second(170));
  EXPECT_EQ(Check(171).reason, Reason::kStillDown);
  EXPECT_EQ(state_.sequence, 1);
  EXPECT_EQ(At(), absl::InfiniteFuture());
  EXPECT_EQ(End(180).reason, Reason::kRecovered);
}

TEST_F(RunTest, AnOverrunStartsARecoveryAnew) {
  definition_.recovery_threshold = 2;
  MakeDownByMiss();
  Push(UpAt(Second(70)));
  Start(80);
  EXPECT_EQ(Check(181).reason, Reason::kStillDown);
  EXPECT_EQ(state_.successes, 0);
}

TEST_F(RunTest, APauseForgetsOpenRuns) {
  Start(50, "a");
  Give(Paused{}, 60);
  EXPECT_TRUE(state_.runs.empty());
  EXPECT_EQ(At(), absl::InfiniteFuture());
  EXPECT_EQ(Start(70, "b").reason, Reason::kStoredPaused);
  Give(Resumed{}, 80);
  EXPECT_EQ(At(), Second(140));
}

TEST_F(RunTest, AnEndWhilePausedIsRememberedSoThatItsStartOpensNothingLater) {
  Start(50, "a");
  Give(Paused{}, 60);
  EXPECT_EQ(Push(OfRun(HeartbeatKind::kUp, 70, "a")).reason, Reason::kStoredPaused);
  EXPECT_EQ(decision_.ended_run, "a");
  Push(OfRun(HeartbeatKind::kLog, 71, "b"));
  EXPECT_TRUE(decision_.ended_run.empty());
}

TEST_F(RunTest, AStartThatResumesArmsItsRun) {
  definition_.resume_on_heartbeat = true;
  Give(Paused{}, 10);
  EXPECT_EQ(Start(20).reason, Reason::kResumed);
  EXPECT_EQ(state_.state, State::kUp);
  EXPECT_EQ(At(), Second(120));
  EXPECT_EQ(Due().cause, Cause::kRunOverran);
}

TEST_F(RunTest, AChangeOfTheLimitDoesNotMoveARunThatIsOpen) {
  Start(50);
  definition_.max_run_duration = absl::Seconds(10);
  Give(Reconfigured{}, 100);
  EXPECT_EQ(At(), Second(150));
}

TEST_F(RunTest, AMonitorWithAnOpenRunIsShownAsRunning) {
  EXPECT_EQ(ConditionAt(49), Condition::kUp);
  Start(50);
  EXPECT_EQ(ConditionAt(100), Condition::kRunning);
  End(110);
  EXPECT_EQ(ConditionAt(111), Condition::kUp);
  Start(120);
  Check(221);
  EXPECT_EQ(ConditionAt(222), Condition::kDown);
}

// --- Own outages ---

TEST_F(RunTest, AnOutageWhileItIsOpenGivesTheRunItsTimeAgain) {
  Start(50);
  const GapList gaps = {CoreGap(Second(140), Second(400))};
  EXPECT_EQ(Due(gaps).at, Second(500));
  EXPECT_EQ(Due(gaps).plain, Second(150));
  EXPECT_TRUE(Due(gaps).unverified);
  EXPECT_EQ(Give(DeadlineChecked{}, 500, gaps).reason, Reason::kNotDue);
  EXPECT_EQ(Give(DeadlineChecked{}, 501, gaps).reason, Reason::kRunOverran);
  EXPECT_EQ(state_.incident->opened_at, Second(500));
  EXPECT_EQ(PushLate(OfRun(HeartbeatKind::kUp, 499, ""), 502).reason, Reason::kLateHeartbeat);
}

TEST_F(RunTest, AnOutageBeforeItsStartOrAfterItsDeadlineChangesNothing) {
  Start(50);
  EXPECT_EQ(Due({CoreGap(Second(10), Second(49))}).at, Second(150));
  EXPECT_EQ(Due({CoreGap(Second(151), Second(300))}).at, Second(150));
}

TEST_F(RunTest, OfSeveralRunsTheOneThatIsDueFirstWithItsOutagesCounts) {
  Start(10, "a");
  const GapList gaps = {CoreGap(Second(20), Second(30))};
  Start(40, "b");
  EXPECT_EQ(Due(gaps).run_id, "a");
  EXPECT_EQ(Due(gaps).at, Second(130));
  const GapList longer = {CoreGap(Second(20), Second(39.5)), CoreGap(Second(105), Second(115))};
  EXPECT_EQ(Due(longer).at, Second(215));
}

}  // namespace
}  // namespace tocsin::core
