// What becomes of pushes: recorded once, in order, or honestly refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/status_macros.h"
#include "tests/simulation/recorder_fixture.h"

namespace tocsin::core {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::SizeIs;

TEST_F(PushRecorderTest, TheFirstHeartbeatMakesTheMonitorUp) {
  recorder_.Start();
  const PushAnswer answer = PushOne(Item(1));
  EXPECT_EQ(answer.result, PushResult::kRecorded);
  EXPECT_EQ(answer.reason, Reason::kFirstHeartbeat);
  ASSERT_NE(answer.monitor, nullptr);
  EXPECT_EQ(*answer.monitor, "projects/default/monitors/job");
  EXPECT_EQ(Stored().state.state, State::kUp);
  EXPECT_EQ(*memory_.NextSweepAt({}), clock_.Now() + absl::Seconds(60));
}

TEST_F(PushRecorderTest, ASteadyUpTakesTheFastPath) {
  recorder_.Start();
  PushOne(Item(1));
  clock_.Advance(absl::Seconds(10));
  const PushAnswer answer = PushOne(Item(1));
  EXPECT_EQ(answer.result, PushResult::kRecorded);
  EXPECT_EQ(answer.reason, Reason::kRecorded);
  EXPECT_EQ(*answer.monitor, "projects/default/monitors/job");
  EXPECT_EQ(metrics_.fast_path.Value(), 1);
  EXPECT_EQ(metrics_.full_path.Value(), 1);
  EXPECT_EQ(Stored().state.last_at, clock_.Now());
}

TEST_F(PushRecorderTest, UpsOfOneGroupFoldAndTheHistoryKeepsAll) {
  recorder_.Start();
  PushOne(Item(1));
  std::vector<PushItem> items;
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(absl::Milliseconds(200));
    items.push_back(Item(1));
  }
  EXPECT_THAT(Push(std::move(items)), Each(Field(&PushAnswer::result, PushResult::kRecorded)));
  EXPECT_EQ(metrics_.fast_path.Value(), 3);
  EXPECT_EQ(Stored().state.last_at, clock_.Now());
  EXPECT_THAT(History(job_), SizeIs(4));
}

TEST_F(PushRecorderTest, WhatIsIneligibleTakesAllOfItsMonitorToTheFullPathInOrder) {
  recorder_.Start();
  Push({Item(1), Item(2)});
  std::vector<PushItem> items;
  for (const HeartbeatKind kind : {HeartbeatKind::kUp, HeartbeatKind::kDown, HeartbeatKind::kUp}) {
    clock_.Advance(absl::Seconds(1));
    items.push_back(Item(1, kind));
  }
  items.push_back(Item(2));
  const std::vector<PushAnswer> answers = Push(std::move(items));
  EXPECT_EQ(answers[0].reason, Reason::kRecorded);
  EXPECT_EQ(answers[1].reason, Reason::kReportedDown);
  EXPECT_EQ(answers[2].reason, Reason::kRecovered);
  EXPECT_EQ(metrics_.fast_path.Value(), 1);
  EXPECT_EQ(Stored().state.sequence, 2);
}

TEST_F(PushRecorderTest, AnUnknownTokenIsSaidToBeUnknown) {
  recorder_.Start();
  const std::vector<PushAnswer> answers = Push({Item(9), Item(1)});
  EXPECT_EQ(answers[0].result, PushResult::kUnknownToken);
  EXPECT_EQ(answers[0].monitor, nullptr);
  EXPECT_EQ(answers[1].result, PushResult::kRecorded);
}

TEST_F(PushRecorderTest, APausedMonitorKeepsTheHeartbeatAndStaysPaused) {
  const MonitorKey paused = Add("paused", 3, State::kPaused);
  recorder_.Start();
  EXPECT_EQ(PushOne(Item(3)).result, PushResult::kRecordedPaused);
  EXPECT_EQ(Stored("paused").state.state, State::kPaused);
  EXPECT_THAT(History(paused), SizeIs(1));
}

TEST_F(PushRecorderTest, ARetriedPushIsStoredOnce) {
  recorder_.Start();
  PushOne(Item(1));
  PushItem item = Item(1);
  PushOne(item);
  item.retried = true;
  EXPECT_EQ(PushOne(item).result, PushResult::kRecorded);
  EXPECT_THAT(Push({item, item}), Each(Field(&PushAnswer::result, PushResult::kRecorded)));
  EXPECT_THAT(History(job_), SizeIs(2));
  EXPECT_EQ(metrics_.Heartbeats(HeartbeatKind::kUp, "duplicate").Value(), 3);
}

TEST_F(PushRecorderTest, TheSamePushTwiceInOneGroupIsStoredOnce) {
  recorder_.Start();
  PushOne(Item(1));
  const PushItem item = Item(1);
  EXPECT_THAT(Push({item, item}), Each(Field(&PushAnswer::result, PushResult::kRecorded)));
  EXPECT_THAT(History(job_), SizeIs(2));
}

TEST_F(PushRecorderTest, AGroupInDoubtCountsOnceOnTheFullPath) {
  for (const simulation::Fault fault :
       {simulation::Fault::kInDoubtWritten, simulation::Fault::kInDoubtLost}) {
    store_.FailNext(fault);
    recorder_.Start();
    const size_t before = History(job_).size();
    EXPECT_EQ(PushOne(Item(1, HeartbeatKind::kDown)).result, PushResult::kRecorded);
    EXPECT_THAT(History(job_), SizeIs(before + 1));
  }
  EXPECT_EQ(metrics_.in_doubt.Value(), 2);
  EXPECT_EQ(Stored().state.failures, 2);
}

TEST_F(PushRecorderTest, AGroupInDoubtCountsOnceOnTheFastPath) {
  recorder_.Start();
  PushOne(Item(1));
  store_.FailNext(simulation::Fault::kInDoubtWritten);
  PushItem item = Item(1);
  item.heartbeat.push_id = 0;
  EXPECT_EQ(PushOne(item).result, PushResult::kRecorded);
  store_.FailNext(simulation::Fault::kInDoubtLost);
  EXPECT_EQ(PushOne(Item(1)).result, PushResult::kRecorded);
  EXPECT_THAT(History(job_), SizeIs(3));
}

TEST_F(PushRecorderTest, WhatFailsOnceIsTriedAgain) {
  recorder_.Start();
  for (const simulation::Fault fault : {simulation::Fault::kBefore, simulation::Fault::kRollBack}) {
    store_.FailNext(fault);
    EXPECT_EQ(PushOne(Item(1)).result, PushResult::kRecorded);
  }
  EXPECT_THAT(History(job_), SizeIs(2));
}

TEST_F(PushRecorderTest, WithoutADatabaseAPushIsUnavailableAndNeverUnknown) {
  store_.set_away(true);
  absl::Notification done;
  std::vector<PushAnswer> answers;
  recorder_.Submit({Item(9)}, [&](std::vector<PushAnswer> given) {
    answers = std::move(given);
    done.Notify();
  });
  recorder_.Start();
  monotonic_.Advance(absl::Seconds(4));
  EXPECT_EQ(recorder_.OldestAge(), absl::Seconds(4));
  monotonic_.Advance(absl::Seconds(2));
  done.WaitForNotification();
  EXPECT_THAT(answers, ElementsAre(Field(&PushAnswer::result, PushResult::kUnavailable)));
  EXPECT_EQ(recorder_.OldestAge(), absl::ZeroDuration());
}

TEST_F(PushRecorderTest, WhatWaitedInAGatewayIsHeldSinceThen) {
  std::vector<PushItem> items = {Item(1), Item(2)};
  items[1].heartbeat.at -= absl::Seconds(3);
  recorder_.Submit(items, [](std::vector<PushAnswer>) {});
  EXPECT_EQ(recorder_.OldestAge(), absl::Seconds(3));
}

TEST_F(PushRecorderTest, WhatIsTooOldIsNotBegun) {
  recorder_.Start();
  PushItem item = Item(1);
  item.heartbeat.at -= absl::Seconds(6);
  EXPECT_EQ(PushOne(item).result, PushResult::kUnavailable);
  EXPECT_THAT(History(job_), SizeIs(0));
}

TEST_F(PushRecorderTest, APoisonousItemFailsAlone) {
  memory_.set_poisonous(job_);
  recorder_.Start();
  PushItem poison = Item(1);
  poison.heartbeat.message = "poison";
  Add("third", 3, State::kNew);
  const std::vector<PushAnswer> answers = Push({Item(3), poison, Item(2), Item(3)});
  EXPECT_EQ(answers[0].result, PushResult::kRecorded);
  EXPECT_EQ(answers[1].result, PushResult::kInvalid);
  EXPECT_EQ(answers[2].result, PushResult::kRecorded);
  EXPECT_EQ(answers[3].result, PushResult::kRecorded);
}

TEST_F(PushRecorderTest, ADownOpensAnIncidentAndWritesItsDelivery) {
  recorder_.Start();
  PushOne(Item(1));
  PushItem item = Item(1, HeartbeatKind::kDown);
  item.heartbeat.message = "disk full";
  EXPECT_EQ(PushOne(item).reason, Reason::kReportedDown);
  EXPECT_EQ(Stored().state.state, State::kDown);
  EXPECT_EQ(Stored().state.incident->message, "disk full");
  EXPECT_EQ(*memory_.NextSweepAt({}), absl::InfiniteFuture());
  DeliveryQuery query;
  query.project = project_;
  query.limit = 10;
  EXPECT_THAT(*memory_.ListDeliveries(query), SizeIs(1));
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(PushOne(Item(1)).reason, Reason::kRecovered);
  EXPECT_EQ(*memory_.NextSweepAt({}), clock_.Now() + absl::Seconds(60));
}

TEST_F(PushRecorderTest, ATokenThatWasRotatedAwayIsUnknownAlthoughItWasCached) {
  recorder_.Start();
  PushOne(Item(1));
  Run([this](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<Monitor> monitors,
                     transaction.LockMonitors({job_}, LockMode::kWait));
    RETURN_IF_ERROR(transaction.SaveDefinition(monitors.front().definition));
    return transaction.ExpireTokens(job_, clock_.Now());
  });
  EXPECT_EQ(PushOne(Item(1)).result, PushResult::kUnknownToken);
  EXPECT_THAT(History(job_), SizeIs(1));
}

TEST_F(PushRecorderTest, ACachedTokenEndsWithItsOverlap) {
  Run([this](Transaction& transaction) {
    return transaction.ExpireTokens(job_, clock_.Now() + absl::Seconds(10));
  });
  recorder_.Start();
  PushOne(Item(1));
  clock_.Advance(absl::Seconds(9));
  EXPECT_EQ(PushOne(Item(1)).result, PushResult::kRecorded);
  EXPECT_EQ(metrics_.fast_path.Value(), 1);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(PushOne(Item(1)).result, PushResult::kUnknownToken);
}

TEST_F(PushRecorderTest, ATouchComesAfterWhatWasSubmittedBefore) {
  size_t seen = 0;
  absl::Status status;
  absl::Notification done;
  recorder_.Submit({Item(1), Item(2)}, [](std::vector<PushAnswer>) {});
  recorder_.SubmitTouch(
      [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const std::vector<Monitor> monitors,
                         transaction.LockMonitors({job_, other_}, LockMode::kWait));
        seen = 0;
        for (const Monitor& monitor : monitors) seen += monitor.state.state == State::kUp ? 1 : 0;
        return absl::OkStatus();
      },
      [&](absl::Status given) {
        status = std::move(given);
        done.Notify();
      });
  recorder_.Start();
  done.WaitForNotification();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(seen, 2);
}

TEST_F(PushRecorderTest, ATouchThatFailsIsNotTriedAgain) {
  store_.FailNext(simulation::Fault::kBefore);
  absl::Status status;
  absl::Notification done;
  recorder_.Start();
  recorder_.SubmitTouch([](Transaction&) { return absl::OkStatus(); },
                        [&](absl::Status given) {
                          status = std::move(given);
                          done.Notify();
                        });
  done.WaitForNotification();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
}

TEST_F(PushRecorderTest, StopAnswersEverything) {
  int answered = 0;
  recorder_.Submit({Item(1), Item(2)}, [&](std::vector<PushAnswer> answers) {
    EXPECT_THAT(answers, Each(Field(&PushAnswer::result, PushResult::kRecorded)));
    ++answered;
  });
  recorder_.SubmitTouch([](Transaction&) { return absl::OkStatus(); },
                        [&](absl::Status status) {
                          EXPECT_TRUE(status.ok()) << status;
                          ++answered;
                        });
  recorder_.Start();
  recorder_.Stop();
  EXPECT_EQ(answered, 2);
  EXPECT_THAT(Push({Item(1)}), Each(Field(&PushAnswer::result, PushResult::kUnavailable)));
}

TEST_F(PushRecorderTest, StopAnswersAlsoWhatNoCommitterCouldTake) {
  int answered = 0;
  recorder_.Submit({Item(1)}, [&](std::vector<PushAnswer> answers) {
    EXPECT_THAT(answers, Each(Field(&PushAnswer::result, PushResult::kUnavailable)));
    ++answered;
  });
  recorder_.SubmitTouch([](Transaction&) { return absl::OkStatus(); },
                        [&](absl::Status status) {
                          EXPECT_TRUE(absl::IsUnavailable(status)) << status;
                          ++answered;
                        });
  recorder_.Stop();
  EXPECT_EQ(answered, 2);
}

TEST_F(PushRecorderTest, AFullQueueRefusesABatchAtOnce) {
  RecorderOptions options;
  options.queue_limit = 1;
  PushRecorder small(store_, clock_, monotonic_, options, metrics_);
  std::vector<PushAnswer> answers;
  small.Submit({Item(1), Item(2)}, [&](std::vector<PushAnswer> given) { answers = given; });
  EXPECT_THAT(answers, SizeIs(2));
  EXPECT_THAT(answers, Each(Field(&PushAnswer::result, PushResult::kUnavailable)));
}

class LingeringTest : public PushRecorderTest {
 protected:
  LingeringTest() {
    RecorderOptions options;
    options.lingers = [this] { return lingers_.load(); };
    options.linger_enough = 3;
    options.linger_for = absl::Hours(1);
    lingering_ = std::make_unique<PushRecorder>(store_, clock_, monotonic_, options, metrics_);
  }

  // Starts it, and has it record a group of its own, which waits for nothing.
  void StartWithOne() {
    lingering_->Start();
    absl::Notification recorded;
    lingering_->Submit({Item(1)}, [&](const std::vector<PushAnswer>&) { recorded.Notify(); });
    recorded.WaitForNotification();
    groups_ = Groups();
  }
  void Submit(std::vector<PushItem> items) {
    lingering_->Submit(std::move(items), [this](std::vector<PushAnswer> answers) {
      EXPECT_THAT(answers, Each(Field(&PushAnswer::result, PushResult::kRecorded)));
      if (--unanswered_ == 0) answered_.Notify();
    });
  }
  // Since StartWithOne.
  uint64_t Groups() { return metrics_.group_size.Collect().histogram.sample_count - groups_; }

  uint64_t groups_ = 0;
  std::atomic<bool> lingers_ = true;
  std::atomic<int> unanswered_ = 2;
  absl::Notification answered_;
  std::unique_ptr<PushRecorder> lingering_;
};

TEST_F(LingeringTest, AFewPushesWaitForMoreWhileSomethingElseNeedsTheDatabase) {
  StartWithOne();
  unanswered_ = 1;
  Submit({Item(1)});
  EXPECT_FALSE(answered_.WaitForNotificationWithTimeout(absl::Milliseconds(50)));
  ++unanswered_;
  Submit({Item(2), Item(1)});
  answered_.WaitForNotification();
  EXPECT_EQ(Groups(), 1);
}

TEST_F(LingeringTest, NothingWaitsForLongerThanThat) {
  StartWithOne();
  for (absl::Duration passed; passed < absl::Hours(1); passed += absl::Milliseconds(250)) {
    monotonic_.Advance(absl::Milliseconds(250));
    lingering_->NoteAwake();
  }
  unanswered_ = 1;
  Submit({Item(1)});
  answered_.WaitForNotification();
}

TEST_F(LingeringTest, ATouchDoesNotWait) {
  StartWithOne();
  Submit({Item(1)});
  Submit({Item(2)});
  absl::Notification touched;
  lingering_->SubmitTouch([](Transaction&) { return absl::OkStatus(); },
                          [&](absl::Status) { touched.Notify(); });
  touched.WaitForNotification();
  EXPECT_TRUE(answered_.HasBeenNotified());
  EXPECT_EQ(Groups(), 1);
}

TEST_F(LingeringTest, NothingWaitsWhileNothingElseNeedsTheDatabase) {
  lingers_ = false;
  StartWithOne();
  Submit({Item(1)});
  Submit({Item(2)});
  answered_.WaitForNotification();
}

TEST_F(LingeringTest, StopRecordsWhatWaited) {
  StartWithOne();
  Submit({Item(1)});
  Submit({Item(2)});
  lingering_->Stop();
  EXPECT_TRUE(answered_.HasBeenNotified());
}

}  // namespace
}  // namespace tocsin::core
