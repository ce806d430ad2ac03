// What becomes of pushes: recorded once, in order, or honestly refused.
#include "services/core/engine/push_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/status_macros.h"
#include "common/testing/fake_clock.h"
#include "services/core/engine/metrics.h"
#include "services/core/store/memory/memory_store.h"
#include "tests/simulation/faulty_store.h"

namespace tocsin::core {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::SizeIs;

// Refuses, as a database would, what holds the message "poison".
class PoisonableStore : public MemoryStore {
 public:
  using MemoryStore::MemoryStore;
  void set_poisonous(MonitorKey monitor) { monitor_ = monitor; }

  absl::Status Transact(TransactionClass klass,
                        absl::FunctionRef<absl::Status(Transaction&)> body) override {
    return MemoryStore::Transact(klass, [&](Transaction& transaction) -> absl::Status {
      RETURN_IF_ERROR(body(transaction));
      ASSIGN_OR_RETURN(const std::optional<Heartbeat> newest,
                       transaction.NewestHeartbeat(monitor_));
      if (newest.has_value() && newest->message == "poison") return absl::DataLossError("poison");
      return absl::OkStatus();
    });
  }

 private:
  MonitorKey monitor_ = 0;
};

TokenHash Token(uint8_t number) {
  TokenHash token = {};
  token.back() = number;
  return token;
}

class PushRecorderTest : public ::testing::Test {
 protected:
  PushRecorderTest() {
    Run([this](Transaction& transaction) -> absl::Status {
      Channel channel;
      channel.project = project_;
      channel.project_id = "default";
      channel.id = "all";
      channel.is_default = true;
      return transaction.InsertChannel(channel).status();
    });
    job_ = Add("job", 1, State::kNew);
    other_ = Add("other", 2, State::kNew);
  }

  void Run(absl::FunctionRef<absl::Status(Transaction&)> body) {
    const absl::Status status = memory_.Transact(TransactionClass::kAdmin, body);
    EXPECT_TRUE(status.ok()) << status;
  }

  MonitorKey Add(const std::string& id, uint8_t token, State state) {
    MonitorKey key = 0;
    Run([&](Transaction& transaction) -> absl::Status {
      Monitor monitor;
      monitor.definition.project = project_;
      monitor.definition.project_id = "default";
      monitor.definition.id = id;
      monitor.definition.schedule.timeout = absl::Seconds(60);
      monitor.definition.schedule.recommended_interval = absl::Seconds(60);
      monitor.definition.schedule.grace = absl::ZeroDuration();
      monitor.state.state = state;
      ASSIGN_OR_RETURN(const MonitorIdentity identity,
                       transaction.InsertMonitor(monitor, absl::InfiniteFuture()));
      key = identity.key;
      return transaction.AddToken(key, Token(token), clock_.Now());
    });
    return key;
  }

  PushItem Item(uint8_t token, HeartbeatKind kind = HeartbeatKind::kUp) {
    PushItem item;
    item.token = Token(token);
    item.heartbeat.kind = kind;
    item.heartbeat.at = clock_.Now();
    item.heartbeat.push_id = ++push_id_;
    return item;
  }

  // The answers, when they have come.
  std::vector<PushAnswer> Push(std::vector<PushItem> items) {
    std::vector<PushAnswer> answers;
    absl::Notification done;
    recorder_.Submit(std::move(items), [&](std::vector<PushAnswer> given) {
      answers = std::move(given);
      done.Notify();
    });
    done.WaitForNotification();
    return answers;
  }
  PushAnswer PushOne(PushItem item) { return Push({std::move(item)}).front(); }

  Monitor Stored(const std::string& id = "job") {
    return memory_.FindMonitor("default", id)->value();
  }
  std::vector<StoredHeartbeat> History(MonitorKey monitor) {
    HeartbeatQuery query;
    query.monitor = monitor;
    query.limit = 100;
    return *memory_.ListHeartbeats(query);
  }

  FakeClock clock_;
  FakeMonotonicClock monotonic_;
  PoisonableStore memory_{clock_};
  simulation::FaultyStore store_{memory_, 1};
  const ProjectKey project_ = memory_.FindProject("default")->value();
  MonitorKey job_ = 0;
  MonitorKey other_ = 0;
  uint64_t push_id_ = 0;
  prometheus::Registry registry_;
  RecorderMetrics metrics_{registry_};
  PushRecorder recorder_{store_, clock_, monotonic_, RecorderOptions(), metrics_};
};

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

TEST_F(PushRecorderTest, APushThatWasReadAfterAFreezeIsStoredOnceEvenIfAnotherCoreHasIt) {
  recorder_.Start();
  PushOne(Item(1));
  clock_.Advance(absl::Seconds(1));
  PushItem sent = Item(1);
  sent.heartbeat.push_id = 77;
  PushItem elsewhere = sent;
  elsewhere.retried = true;
  PushOne(elsewhere);
  clock_.Advance(absl::Seconds(1));
  PushOne(Item(1));
  // The core that had the original in its socket thaws and stamps it anew.
  clock_.Advance(absl::Seconds(3));
  monotonic_.Advance(absl::Seconds(4));
  sent.heartbeat.at = clock_.Now();
  EXPECT_EQ(PushOne(sent).result, PushResult::kRecorded);
  EXPECT_THAT(History(job_), SizeIs(3));
}

TEST_F(PushRecorderTest, AfterALongFreezeNothingIsRecordedThatMayHaveWaitedUnseen) {
  recorder_.Start();
  PushItem sent = Item(1);
  sent.heartbeat.push_id = 77;
  PushItem elsewhere = sent;
  elsewhere.retried = true;
  PushOne(elsewhere);
  // Longer than a push is looked for in the history.
  clock_.Advance(absl::Seconds(20));
  monotonic_.Advance(absl::Seconds(20));
  sent.heartbeat.at = clock_.Now();
  EXPECT_EQ(PushOne(sent).result, PushResult::kUnavailable);
  EXPECT_THAT(History(job_), SizeIs(1));
  clock_.Advance(absl::Seconds(2));
  for (int i = 0; i < 4; ++i) {
    monotonic_.Advance(absl::Milliseconds(500));
    recorder_.SubmitTouch([](Transaction&) { return absl::OkStatus(); }, [](absl::Status) {});
  }
  EXPECT_EQ(PushOne(Item(1)).result, PushResult::kRecorded);
}

// The gateway gave up waiting for the first, and another core has it.
TEST_F(PushRecorderTest, UpsThatWaitedLongTogetherAreStoredOnceEvenIfAnotherCoreHasSome) {
  recorder_.Start();
  PushOne(Item(1));
  std::vector<PushItem> items;
  for (int i = 0; i < 2; ++i) {
    clock_.Advance(absl::Milliseconds(100));
    items.push_back(Item(1));
  }
  PushItem elsewhere = items[0];
  elsewhere.retried = true;
  PushOne(elsewhere);
  clock_.Advance(absl::Milliseconds(800));
  EXPECT_THAT(Push(items), Each(Field(&PushAnswer::result, PushResult::kRecorded)));
  EXPECT_THAT(History(job_), SizeIs(3));
  EXPECT_EQ(metrics_.Heartbeats(HeartbeatKind::kUp, "duplicate").Value(), 1);
}

TEST_F(PushRecorderTest, ALoneUpThatWaitedLongTakesTheFastPathThatKnowsTheLastPush) {
  recorder_.Start();
  PushOne(Item(1));
  clock_.Advance(absl::Milliseconds(100));
  const PushItem item = Item(1);
  clock_.Advance(absl::Seconds(2));
  EXPECT_EQ(PushOne(item).result, PushResult::kRecorded);
  EXPECT_EQ(metrics_.fast_path.Value(), 1);
  EXPECT_EQ(PushOne(item).result, PushResult::kRecorded);
  EXPECT_THAT(History(job_), SizeIs(2));
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

}  // namespace
}  // namespace tocsin::core
