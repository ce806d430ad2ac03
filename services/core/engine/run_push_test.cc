// Pushes of runs, with values and with output: what takes the full path, and what comes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/status_macros.h"
#include "common/testing/fake_clock.h"
#include "services/core/domain/testing/builders.h"
#include "services/core/engine/metrics.h"
#include "services/core/engine/push_recorder.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

using ::testing::SizeIs;

constexpr TokenHash kToken = {7};

class RunPushTest : public ::testing::Test {
 protected:
  // A monitor that is UP since now, with what `edit` makes of its definition.
  void Add(absl::FunctionRef<void(MonitorDefinition&)> edit) {
    Monitor monitor = {.definition = testing::MinuteMonitor(),
                       .state = testing::UpSince(clock_.Now())};
    monitor.definition.project = *store_.FindProject("default").value();
    monitor.definition.id = "job";
    edit(monitor.definition);
    const absl::Status status =
        store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
          ASSIGN_OR_RETURN(
              const MonitorIdentity identity,
              transaction.InsertMonitor(monitor, SweepAt(monitor.definition, monitor.state)));
          key_ = identity.key;
          return transaction.AddToken(key_, kToken, clock_.Now());
        });
    EXPECT_TRUE(status.ok()) << status;
    recorder_.Start();
    // Fills the cache of tokens.
    clock_.Advance(absl::Seconds(1));
    EXPECT_EQ(Push({Item(HeartbeatKind::kUp)})[0].reason, Reason::kRecorded);
    clock_.Advance(absl::Seconds(1));
    fast_before_ = metrics_.fast_path.Value();
  }
  void AddWithLimit() {
    Add([](MonitorDefinition& definition) { definition.max_run_duration = absl::Seconds(100); });
  }

  PushItem Item(HeartbeatKind kind, const std::string& run = "") {
    PushItem item;
    item.token = kToken;
    item.heartbeat.kind = kind;
    item.heartbeat.at = clock_.Now();
    item.heartbeat.run_id = run;
    item.heartbeat.push_id = ++push_id_;
    return item;
  }
  PushItem ItemAt(absl::Time at, HeartbeatKind kind, const std::string& run = "") {
    PushItem item = Item(kind, run);
    item.heartbeat.at = at;
    return item;
  }
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
  Reason PushOne(PushItem item) { return Push({std::move(item)})[0].reason; }
  // How many took it since then.
  double FastPath() { return metrics_.fast_path.Value() - fast_before_; }
  MonitorState StoredState() { return store_.FindMonitor("default", "job")->value().state; }
  StoredHeartbeat NewestStored() {
    HeartbeatQuery query;
    query.monitor = key_;
    query.with_output = true;
    return store_.ListHeartbeats(query)->front();
  }

  FakeClock clock_;
  FakeMonotonicClock monotonic_;
  MemoryStore store_{clock_};
  MonitorKey key_ = 0;
  uint64_t push_id_ = 0;
  double fast_before_ = 0;
  prometheus::Registry registry_;
  RecorderMetrics metrics_{registry_};
  PushRecorder recorder_{store_, clock_, monotonic_, RecorderOptions(), metrics_};
};

TEST_F(RunPushTest, AnUpWithAValueOfABoundedMonitorTakesTheFullPathAndMayFail) {
  Add([](MonitorDefinition& definition) { definition.value_max = 10; });
  PushItem item = Item(HeartbeatKind::kUp);
  item.heartbeat.value = 11;
  EXPECT_EQ(PushOne(item), Reason::kOutOfRange);
  EXPECT_EQ(FastPath(), 0);
  EXPECT_EQ(StoredState().state, State::kDown);
  EXPECT_EQ(StoredState().incident->cause, Cause::kValueOutOfRange);
}

TEST_F(RunPushTest, AnUpWithoutAValueOfABoundedMonitorTakesTheFastPath) {
  Add([](MonitorDefinition& definition) { definition.value_max = 10; });
  EXPECT_EQ(PushOne(Item(HeartbeatKind::kUp)), Reason::kRecorded);
  EXPECT_EQ(FastPath(), 1);
}

TEST_F(RunPushTest, AnUpWithAValueOfAMonitorWithoutBoundsTakesTheFastPath) {
  Add([](MonitorDefinition&) {});
  PushItem item = Item(HeartbeatKind::kUp);
  item.heartbeat.value = 1e9;
  EXPECT_EQ(PushOne(item), Reason::kRecorded);
  EXPECT_EQ(FastPath(), 1);
  EXPECT_EQ(NewestStored().heartbeat.value, 1e9);
}

TEST_F(RunPushTest, OutputTakesTheFullPathAndIsKept) {
  Add([](MonitorDefinition&) {});
  PushItem item = Item(HeartbeatKind::kUp);
  item.heartbeat.output = "all done";
  EXPECT_EQ(PushOne(item), Reason::kRecorded);
  EXPECT_EQ(FastPath(), 0);
  EXPECT_EQ(NewestStored().heartbeat.output, "all done");
}

TEST_F(RunPushTest, AStartArmsTheDeadlineOfItsRunForTheSweeper) {
  AddWithLimit();
  EXPECT_EQ(PushOne(Item(HeartbeatKind::kStart, "r1")), Reason::kRunStarted);
  EXPECT_EQ(*store_.NextSweepAt({}), clock_.Now() + absl::Seconds(100));
  EXPECT_THAT(StoredState().runs, SizeIs(1));
}

TEST_F(RunPushTest, TheEndOfARunIsStoredWithHowLongItTook) {
  AddWithLimit();
  PushOne(Item(HeartbeatKind::kStart, "r1"));
  clock_.Advance(absl::Seconds(42));
  EXPECT_EQ(PushOne(Item(HeartbeatKind::kUp, "r1")), Reason::kRecorded);
  EXPECT_EQ(NewestStored().heartbeat.run_duration, absl::Seconds(42));
  EXPECT_THAT(StoredState().runs, SizeIs(0));
  EXPECT_EQ(*store_.NextSweepAt({}), clock_.Now() + absl::Seconds(60));
}

TEST_F(RunPushTest, AnUpEndsTheUnnamedRunAndIsNotForTheFastPath) {
  AddWithLimit();
  PushOne(Item(HeartbeatKind::kStart));
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(PushOne(Item(HeartbeatKind::kUp)), Reason::kRecorded);
  EXPECT_EQ(FastPath(), 0);
  EXPECT_EQ(NewestStored().heartbeat.run_duration, absl::Seconds(5));
}

TEST_F(RunPushTest, AStartAndItsEndInOneGroupAreDecidedInTheOrderOfTheirTimes) {
  AddWithLimit();
  const absl::Time start = clock_.Now();
  clock_.Advance(absl::Seconds(3));
  const std::vector<PushAnswer> answers =
      Push({Item(HeartbeatKind::kUp, "r1"), ItemAt(start, HeartbeatKind::kStart, "r1")});
  EXPECT_EQ(answers[0].reason, Reason::kRecorded);
  EXPECT_EQ(answers[1].reason, Reason::kRunStarted);
  EXPECT_EQ(NewestStored().heartbeat.run_duration, absl::Seconds(3));
  EXPECT_THAT(StoredState().runs, SizeIs(0));
}

TEST_F(RunPushTest, AStartThatComesAfterItsEndIsStoredOnly) {
  AddWithLimit();
  const absl::Time start = clock_.Now();
  clock_.Advance(absl::Seconds(3));
  PushOne(Item(HeartbeatKind::kUp, "r1"));
  EXPECT_EQ(PushOne(ItemAt(start, HeartbeatKind::kStart, "r1")), Reason::kStale);
  EXPECT_THAT(StoredState().runs, SizeIs(0));
  HeartbeatQuery query;
  query.monitor = key_;
  EXPECT_THAT(*store_.ListHeartbeats(query), SizeIs(3));
}

TEST_F(RunPushTest, AStartOfARunThatEndedInTheSameGroupIsStoredOnly) {
  AddWithLimit();
  PushItem end = Item(HeartbeatKind::kUp, "r1");
  clock_.Advance(absl::Seconds(1));
  const std::vector<PushAnswer> answers = Push({end, Item(HeartbeatKind::kStart, "r1")});
  EXPECT_EQ(answers[0].reason, Reason::kRecorded);
  EXPECT_EQ(answers[1].reason, Reason::kStale);
  EXPECT_THAT(StoredState().runs, SizeIs(0));
}

TEST_F(RunPushTest, TheEndOfARunIsRememberedForThreeDays) {
  AddWithLimit();
  PushOne(Item(HeartbeatKind::kUp, "r1"));
  clock_.Advance(kRunMemory);
  EXPECT_EQ(PushOne(Item(HeartbeatKind::kStart, "r1")), Reason::kStale);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(PushOne(Item(HeartbeatKind::kStart, "r1")), Reason::kRunStarted);
}

TEST_F(RunPushTest, ARetriedEndIsStoredOnceAndTellsItsDuration) {
  AddWithLimit();
  PushOne(Item(HeartbeatKind::kStart, "r1"));
  clock_.Advance(absl::Seconds(5));
  PushItem end = Item(HeartbeatKind::kUp, "r1");
  PushOne(end);
  end.retried = true;
  EXPECT_EQ(Push({end})[0].result, PushResult::kRecorded);
  EXPECT_EQ(NewestStored().heartbeat.run_duration, absl::Seconds(5));
  HeartbeatQuery query;
  query.monitor = key_;
  EXPECT_THAT(*store_.ListHeartbeats(query), SizeIs(3));
}

TEST_F(RunPushTest, WhenNoRunIsOpenAnyMoreUpsTakeTheFastPathAgain) {
  AddWithLimit();
  PushOne(Item(HeartbeatKind::kStart));
  clock_.Advance(absl::Seconds(5));
  PushOne(Item(HeartbeatKind::kUp));
  clock_.Advance(absl::Seconds(5));
  PushOne(Item(HeartbeatKind::kUp));
  EXPECT_EQ(FastPath(), 1);
}

TEST_F(RunPushTest, ManyStartsBeyondTheMostAreStoredOnly) {
  AddWithLimit();
  std::vector<PushItem> items;
  for (size_t i = 0; i <= kMaxRuns; ++i) {
    items.push_back(Item(HeartbeatKind::kStart, "r" + std::to_string(i)));
  }
  const std::vector<PushAnswer> answers = Push(std::move(items));
  EXPECT_EQ(answers[kMaxRuns - 1].reason, Reason::kRunStarted);
  EXPECT_EQ(answers[kMaxRuns].reason, Reason::kTooManyRuns);
  EXPECT_THAT(StoredState().runs, SizeIs(kMaxRuns));
}

}  // namespace
}  // namespace tocsin::core
