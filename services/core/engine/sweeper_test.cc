// Silence becomes an incident, at its deadline, when and only when Tocsin could have heard.
#include "services/core/engine/sweeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/fake_clock.h"
#include "services/core/domain/deadline.h"
#include "services/core/domain/testing/builders.h"
#include "services/core/engine/metrics.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kSettle = absl::Milliseconds(20);

class SweeperTest : public ::testing::Test {
 protected:
  SweeperTest() {
    recorder_.Start();
    Channel channel;
    channel.project = project_;
    channel.project_id = "default";
    channel.id = "all";
    channel.is_default = true;
    Run([&](Transaction& transaction) { return transaction.InsertChannel(channel).status(); });
    EXPECT_TRUE(guard_.TouchNow().ok());
  }

  void Run(absl::FunctionRef<absl::Status(Transaction&)> body) {
    const absl::Status status = store_.Transact(TransactionClass::kAdmin, body);
    EXPECT_TRUE(status.ok()) << status;
  }
  // Up since `since`, with a timeout of 60 s.
  void AddMonitor(const std::string& id, absl::Time since, int threshold = 1,
                  Source source = Source::kHttp) {
    Monitor monitor = {.definition = testing::MinuteMonitor(), .state = testing::UpSince(since)};
    monitor.definition.project = project_;
    monitor.definition.id = id;
    monitor.definition.failure_threshold = threshold;
    monitor.state.last_source = source;
    Insert(monitor);
  }
  // DOWN after its deadline, people are reminded every 10 minutes.
  void AddReminded(const std::string& id) {
    Monitor monitor = {.definition = testing::MinuteMonitor(), .state = testing::UpSince(start_)};
    monitor.definition.project = project_;
    monitor.definition.id = id;
    monitor.definition.reminder_interval = absl::Minutes(10);
    Insert(monitor);
  }
  // Heard last at `start_`, expected at each full hour with a grace of 10 s. Returns the first one.
  absl::Time AddCron(const std::string& id) {
    Monitor monitor = {.definition = testing::MinuteMonitor(), .state = testing::UpSince(start_)};
    monitor.definition.project = project_;
    monitor.definition.id = id;
    monitor.definition.schedule = testing::CronSchedule("0 * * * *", absl::Seconds(10));
    Insert(monitor);
    return DeadlineOf(monitor.definition, monitor.state, {}).expected_at;
  }
  void Insert(const Monitor& monitor) {
    Run([&](Transaction& transaction) {
      return transaction.InsertMonitor(monitor, SweepAt(monitor.definition, monitor.state))
          .status();
    });
  }
  // An up as the fast path stores it: sweep_at stays.
  void PushNow(const std::string& id) {
    const Monitor monitor = Stored(id);
    MonitorState state = monitor.state;
    state.last_at = clock_.Now();
    const StateChange change = {.monitor = monitor.definition.key,
                                .state = state,
                                .last_push_id = 0,
                                .sweep_at = std::nullopt};
    Run([&](Transaction& transaction) { return transaction.SaveStates({&change, 1}); });
  }
  // Without moving its deadline.
  void HearOverGrpc(const std::string& id) {
    const Monitor monitor = Stored(id);
    StateChange change = {.monitor = monitor.definition.key,
                          .state = monitor.state,
                          .last_push_id = 0,
                          .sweep_at = std::nullopt};
    change.state.last_source = Source::kGrpc;
    Run([&](Transaction& transaction) { return transaction.SaveStates({&change, 1}); });
  }
  // Until one is back, what is heard over HTTP is not judged.
  void LoseTheGateway() {
    guard_.GatewayConnected();
    guard_.GatewayHeard(clock_.Now());
    EXPECT_TRUE(guard_.TouchNow().ok());
    guard_.GatewayDisconnected();
  }
  // Touches on time until then, so that nothing is blind.
  void LiveUntil(absl::Time until) {
    while (clock_.Now() < until) {
      clock_.Set(std::min(clock_.Now() + absl::Seconds(1), until));
      EXPECT_TRUE(guard_.TouchNow().ok());
    }
  }
  Monitor Stored(const std::string& id) { return store_.FindMonitor("default", id)->value(); }
  State StateOf(const std::string& id) { return Stored(id).state.state; }
  std::vector<DeliveryView> Deliveries() {
    DeliveryQuery query;
    query.project = project_;
    return *store_.ListDeliveries(query);
  }

  FakeClock clock_;
  FakeMonotonicClock monotonic_;
  MemoryStore store_{clock_};
  prometheus::Registry registry_;
  RecorderMetrics recorder_metrics_{registry_};
  GuardMetrics guard_metrics_{registry_};
  SweeperMetrics metrics_{registry_};
  PushRecorder recorder_{store_, clock_, monotonic_, {}, recorder_metrics_};
  OutageGuard guard_{store_, recorder_, clock_, {.instance = "a"}, guard_metrics_};
  Sweeper sweeper_{store_, guard_, clock_, {}, metrics_};
  const absl::Time start_ = clock_.Now();
  const absl::Time deadline_ = start_ + absl::Seconds(60);
  const ProjectKey project_ = store_.FindProject("default")->value();
};

TEST_F(SweeperTest, RestsLongestWhenNothingIsWatched) {
  EXPECT_EQ(sweeper_.Sweep(), absl::Seconds(1));
}

TEST_F(SweeperTest, AsksForSignsOfLifeWhileTheNextDeadlineSettlesAndRestsUntilItHas) {
  AddMonitor("job", start_);
  LiveUntil(deadline_ - absl::Milliseconds(100));
  EXPECT_EQ(sweeper_.Sweep(), absl::Milliseconds(110));
  const absl::Time last = guard_.NewestTouch();
  clock_.Set(deadline_);
  EXPECT_EQ(sweeper_.Sweep(), kSettle / 2);
  EXPECT_EQ(guard_.NewestTouch(), last);
  clock_.Advance(kSettle / 2);
  EXPECT_EQ(sweeper_.Sweep(), kSettle / 2);
  EXPECT_EQ(guard_.NewestTouch(), clock_.Now());
  EXPECT_EQ(StateOf("job"), State::kUp);
  clock_.Advance(kSettle / 2);
  sweeper_.Sweep();
  EXPECT_EQ(guard_.NewestTouch(), clock_.Now() - kSettle / 2) << "it is known by now";
  EXPECT_EQ(StateOf("job"), State::kDown);
}

TEST_F(SweeperTest, ASilentMonitorGoesDownStampedWithItsDeadline) {
  AddMonitor("job", start_);
  LiveUntil(deadline_);
  clock_.Advance(kSettle);
  sweeper_.Sweep();
  const Monitor monitor = Stored("job");
  ASSERT_EQ(monitor.state.state, State::kDown);
  EXPECT_EQ(monitor.state.incident->opened_at, deadline_);
  EXPECT_EQ(monitor.state.incident->detected_at, clock_.Now());
  EXPECT_EQ(monitor.state.incident->cause, Cause::kMissedDeadline);
  ASSERT_THAT(Deliveries(), SizeIs(1));
  EXPECT_EQ(Deliveries()[0].delivery.type, DeliveryType::kIncidentOpened);
  EXPECT_EQ(metrics_.Transitions(State::kDown, "missed_deadline").Value(), 1);
  EXPECT_EQ(*store_.NextSweepAt({}), absl::InfiniteFuture());
}

TEST_F(SweeperTest, TouchesAtOnceWhenTheNewestTouchIsOlderThanWhatIsDue) {
  AddMonitor("job", start_);
  LiveUntil(deadline_ - absl::Milliseconds(400));
  clock_.Set(deadline_ + kSettle);
  sweeper_.Sweep();
  EXPECT_EQ(guard_.NewestTouch(), clock_.Now());
  EXPECT_EQ(StateOf("job"), State::kDown);
}

TEST_F(SweeperTest, NothingIsJudgedWhileNoTouchCanBeCommitted) {
  AddMonitor("job", start_);
  LiveUntil(deadline_ - absl::Milliseconds(1));
  recorder_.Stop();
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(sweeper_.Sweep(), absl::Milliseconds(200));
  EXPECT_EQ(StateOf("job"), State::kUp);
}

TEST_F(SweeperTest, BelowTheThresholdAMissIsCountedAndTheNextOneAwaited) {
  AddMonitor("job", start_, 2);
  LiveUntil(deadline_);
  clock_.Advance(kSettle);
  sweeper_.Sweep();
  EXPECT_EQ(StateOf("job"), State::kUp);
  EXPECT_EQ(Stored("job").state.misses, 1);
  EXPECT_EQ(*store_.NextSweepAt({}), deadline_ + absl::Seconds(60));
  LiveUntil(deadline_ + absl::Seconds(60) + kSettle);
  sweeper_.Sweep();
  EXPECT_EQ(StateOf("job"), State::kDown);
}

TEST_F(SweeperTest, SteadyPushesOnlyMoveTheNextLook) {
  AddMonitor("job", start_);
  LiveUntil(start_ + absl::Seconds(50));
  PushNow("job");
  EXPECT_EQ(*store_.NextSweepAt({}), deadline_);
  LiveUntil(deadline_ + kSettle);
  EXPECT_EQ(sweeper_.Sweep(), absl::ZeroDuration());
  EXPECT_EQ(*store_.NextSweepAt({}), start_ + absl::Seconds(110));
  EXPECT_EQ(StateOf("job"), State::kUp);
  EXPECT_THAT(Deliveries(), IsEmpty());
}

TEST_F(SweeperTest, AnOwnOutagePostponesTheDeadlineOnce) {
  AddMonitor("job", start_);
  LiveUntil(start_ + absl::Seconds(40));
  clock_.Set(start_ + absl::Seconds(70));  // blind from 40 to 70
  sweeper_.Sweep();
  EXPECT_EQ(StateOf("job"), State::kUp);
  const absl::Time postponed = start_ + absl::Seconds(130);
  EXPECT_EQ(*store_.NextSweepAt({}), postponed);
  LiveUntil(postponed + kSettle);
  sweeper_.Sweep();
  ASSERT_EQ(StateOf("job"), State::kDown);
  EXPECT_EQ(Stored("job").state.incident->opened_at, postponed);
}

TEST_F(SweeperTest, ADeadlineBeforeAGapIsJudgedOnlyAfterTheRetryTime) {
  AddMonitor("job", start_ - absl::Seconds(60) + absl::Milliseconds(-1));  // due before the gap
  clock_.Set(start_ + absl::Seconds(10));
  EXPECT_EQ(sweeper_.Sweep(), absl::Seconds(1));
  EXPECT_EQ(StateOf("job"), State::kUp);
  LiveUntil(start_ + absl::Seconds(16) - absl::Milliseconds(50));
  EXPECT_EQ(sweeper_.Sweep(), absl::Milliseconds(50));
  EXPECT_EQ(StateOf("job"), State::kUp);
  LiveUntil(start_ + absl::Seconds(16));
  sweeper_.Sweep();
  ASSERT_EQ(StateOf("job"), State::kDown);
  EXPECT_EQ(Stored("job").state.incident->opened_at, start_ - absl::Milliseconds(1));
}

TEST_F(SweeperTest, WhatWaitsForAGatewayDoesNotHoldUpWhatIsHeardOtherwise) {
  Sweeper sweeper(store_, guard_, clock_, {.batch = 2}, metrics_);
  LoseTheGateway();
  for (int i = 1; i <= 5; ++i) {
    AddMonitor(absl::StrCat("http", i), start_ + absl::Milliseconds(i));
  }
  AddMonitor("grpc1", start_ + absl::Milliseconds(6), 1, Source::kGrpc);
  LiveUntil(deadline_ + absl::Milliseconds(6) + kSettle);
  for (int pass = 0; pass < 3; ++pass) {
    EXPECT_EQ(StateOf("grpc1"), State::kUp);
    EXPECT_EQ(sweeper.Sweep(), absl::ZeroDuration());
  }
  EXPECT_EQ(StateOf("grpc1"), State::kDown);
  EXPECT_EQ(sweeper.Sweep(), absl::Seconds(1)) << "nothing is left that could be judged";

  // A job that is due later is found at its deadline.
  AddMonitor("grpc2", start_ + absl::Seconds(3), 1, Source::kGrpc);
  LiveUntil(deadline_ + absl::Seconds(3) + kSettle);
  sweeper.Sweep();
  EXPECT_EQ(StateOf("grpc2"), State::kDown);
  EXPECT_EQ(StateOf("http1"), State::kUp);
}

TEST_F(SweeperTest, WhatIsHeardOverHttpIsJudgedAsSoonAsAGatewayIsHeardAfterItsDeadline) {
  guard_.GatewayConnected();
  guard_.GatewayHeard(clock_.Now());
  AddMonitor("job", start_);
  for (int second = 1; second < 60; ++second) {
    LiveUntil(start_ + absl::Seconds(second));
    guard_.GatewayHeard(clock_.Now());
  }
  LiveUntil(deadline_ - absl::Milliseconds(30));
  guard_.GatewayHeard(clock_.Now());
  clock_.Set(deadline_ + kSettle);
  EXPECT_EQ(sweeper_.Sweep(), absl::Milliseconds(10)) << "the next sign of life will come";
  EXPECT_EQ(StateOf("job"), State::kUp);
  clock_.Advance(absl::Milliseconds(50));
  guard_.GatewayHeard(clock_.Now());
  sweeper_.Sweep();
  EXPECT_EQ(StateOf("job"), State::kDown);
}

// After an own outage all monitors of one schedule are due at the same time.
TEST_F(SweeperTest, WhatWaitsForAGatewaySinceTheSameTimeHidesNothingBehindIt) {
  Sweeper sweeper(store_, guard_, clock_, {.batch = 2}, metrics_);
  LoseTheGateway();
  for (int i = 1; i <= 5; ++i) AddMonitor(absl::StrCat("http", i), start_);
  AddMonitor("grpc", start_, 1, Source::kGrpc);
  LiveUntil(deadline_ + kSettle);
  for (int pass = 0; pass < 3; ++pass) sweeper.Sweep();
  EXPECT_EQ(StateOf("grpc"), State::kDown);
  EXPECT_EQ(StateOf("http1"), State::kUp);
}

TEST_F(SweeperTest, HoweverLongALookAtWhatWaitsForAGatewayTakesItComesToItsEnd) {
  Sweeper sweeper(store_, guard_, clock_, {.batch = 2}, metrics_);
  LoseTheGateway();
  for (int i = 1; i <= 7; ++i) AddMonitor(absl::StrCat("http", i), start_);
  AddMonitor("grpc", start_, 1, Source::kGrpc);
  for (int pass = 0; pass < 4; ++pass) {
    LiveUntil(deadline_ + kSettle + pass * absl::Seconds(3));
    sweeper.Sweep();
  }
  EXPECT_EQ(StateOf("grpc"), State::kDown);
}

TEST_F(SweeperTest, WhatWaitsForAGatewayIsLookedAtAgainAWhileAfterTheLastOfItWasSeen) {
  Sweeper sweeper(store_, guard_, clock_, {.batch = 2}, metrics_);
  LoseTheGateway();
  for (int i = 1; i <= 4; ++i) AddMonitor(absl::StrCat("http", i), start_);
  for (int pass = 0; pass < 3; ++pass) {
    LiveUntil(deadline_ + kSettle + pass * absl::Seconds(3));
    sweeper.Sweep();
  }
  HearOverGrpc("http1");
  sweeper.Sweep();
  EXPECT_EQ(StateOf("http1"), State::kUp) << "the last was seen a moment ago";
  LiveUntil(clock_.Now() + absl::Seconds(5));
  sweeper.Sweep();
  EXPECT_EQ(StateOf("http1"), State::kDown);
}

TEST_F(SweeperTest, WhatWaitedForAGatewayIsJudgedWhenOneIsBackAndTheRetryTimeIsOver) {
  Sweeper sweeper(store_, guard_, clock_, {.batch = 2}, metrics_);
  guard_.GatewayConnected();
  guard_.GatewayHeard(clock_.Now());
  EXPECT_TRUE(guard_.TouchNow().ok());
  guard_.GatewayDisconnected();
  LoseTheGateway();
  // It pushed last half an interval before the gateways went: the gap does not touch its
  // deadline.
  for (int i = 1; i <= 3; ++i) {
    AddMonitor(absl::StrCat("late", i), start_ - absl::Seconds(60) + absl::Milliseconds(-i));
  }
  LiveUntil(start_ + absl::Seconds(2));
  while (sweeper.Sweep() == absl::ZeroDuration()) {
  }
  LiveUntil(start_ + absl::Seconds(4));
  guard_.GatewayConnected();
  guard_.GatewayHeard(clock_.Now());
  EXPECT_TRUE(guard_.TouchNow().ok());
  LiveUntil(start_ + absl::Seconds(10));
  while (sweeper.Sweep() == absl::ZeroDuration()) {
  }
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(StateOf(absl::StrCat("late", i)), State::kDown);
}

TEST_F(SweeperTest, WhatStaysDownIsRemindedOfAtEachInterval) {
  AddReminded("job");
  LiveUntil(deadline_ + kSettle);
  sweeper_.Sweep();
  const absl::Time detected = clock_.Now();
  EXPECT_EQ(*store_.NextSweepAt({}), detected + absl::Minutes(10));
  LiveUntil(detected + absl::Minutes(10));
  sweeper_.Sweep();
  EXPECT_THAT(Deliveries(), SizeIs(1));  // not settled yet
  clock_.Advance(kSettle);
  sweeper_.Sweep();
  const std::vector<DeliveryView> deliveries = Deliveries();
  ASSERT_THAT(deliveries, SizeIs(2));
  EXPECT_EQ(deliveries[0].delivery.type, DeliveryType::kIncidentReminder);
  EXPECT_EQ(Stored("job").state.incident->reminded_at, clock_.Now());
  EXPECT_EQ(Stored("job").state.sequence, 2);
  EXPECT_EQ(*store_.NextSweepAt({}), clock_.Now() + absl::Minutes(10));
  // It is no failure.
  EXPECT_EQ(metrics_.lag.Collect().histogram.sample_count, 1);
}

TEST_F(SweeperTest, AReminderWaitsForATouch) {
  AddReminded("job");
  LiveUntil(deadline_ + kSettle);
  sweeper_.Sweep();
  LiveUntil(clock_.Now() + absl::Minutes(10) - absl::Milliseconds(100));
  recorder_.Stop();  // nothing can be touched, nor recorded
  clock_.Advance(absl::Milliseconds(200));
  sweeper_.Sweep();
  EXPECT_THAT(Deliveries(), SizeIs(1));
}

TEST_F(SweeperTest, AfterAnOutageThereIsOneReminderWhateverWasMissed) {
  AddReminded("job");
  LiveUntil(deadline_ + kSettle);
  sweeper_.Sweep();
  clock_.Advance(absl::Hours(3));
  for (int i = 0; i < 20; ++i) {
    sweeper_.Sweep();
    LiveUntil(clock_.Now() + absl::Seconds(1));
  }
  ASSERT_THAT(Deliveries(), SizeIs(2));
  EXPECT_EQ(Deliveries()[0].delivery.type, DeliveryType::kIncidentReminder);
}

TEST_F(SweeperTest, ARunThatOverranGoesDownStampedWithItsDeadline) {
  AddMonitor("job", start_);
  const Monitor monitor = Stored("job");
  StateChange change = {.monitor = monitor.definition.key,
                        .state = monitor.state,
                        .last_push_id = 0,
                        .sweep_at = start_ + absl::Seconds(90)};
  change.state.runs = {
      {.id = "r1", .started_at = start_, .due_at = start_ + absl::Seconds(90), .overran = false}};
  Run([&](Transaction& transaction) { return transaction.SaveStates({&change, 1}); });
  LiveUntil(deadline_ + absl::Seconds(10));
  sweeper_.Sweep();
  EXPECT_EQ(StateOf("job"), State::kUp);
  LiveUntil(start_ + absl::Seconds(90) + kSettle);
  sweeper_.Sweep();
  ASSERT_EQ(StateOf("job"), State::kDown);
  EXPECT_EQ(Stored("job").state.incident->cause, Cause::kRunOverran);
  EXPECT_EQ(Stored("job").state.incident->opened_at, start_ + absl::Seconds(90));
  EXPECT_EQ(metrics_.Transitions(State::kDown, "run_overran").Value(), 1);
}

TEST_F(SweeperTest, WhatIsExcusedCountsAsNoFailure) {
  const absl::Time fire = AddCron("job");
  LiveUntil(fire - absl::Seconds(30));
  clock_.Set(fire + absl::Seconds(30));
  for (int i = 0; i < 40; ++i) {
    sweeper_.Sweep();
    LiveUntil(clock_.Now() + absl::Seconds(1));
  }
  EXPECT_EQ(StateOf("job"), State::kUp);
  EXPECT_EQ(Stored("job").state.excused_at, fire);
  EXPECT_EQ(Stored("job").state.failures, 0);
  EXPECT_EQ(metrics_.lag.Collect().histogram.sample_count, 0);
  EXPECT_EQ(*store_.NextSweepAt({}), fire + absl::Hours(1) + absl::Seconds(10));
  EXPECT_THAT(Deliveries(), IsEmpty());
}

TEST_F(SweeperTest, ExactlyAtAPostponedDeadlineNothingIsCounted) {
  AddMonitor("job", start_);
  LiveUntil(start_ + absl::Seconds(50));
  clock_.Set(start_ + absl::Seconds(55));
  EXPECT_TRUE(guard_.TouchNow().ok());
  LiveUntil(start_ + absl::Seconds(115));  // the outage's end and one interval
  sweeper_.Sweep();
  EXPECT_EQ(StateOf("job"), State::kUp);
  EXPECT_EQ(metrics_.lag.Collect().histogram.sample_count, 0);
}

TEST_F(SweeperTest, AFullBatchIsFollowedByTheNextAtOnce) {
  Sweeper sweeper(store_, guard_, clock_, {.batch = 2}, metrics_);
  for (const char* id : {"a", "b", "c"}) AddMonitor(id, start_);
  LiveUntil(deadline_ + kSettle);
  EXPECT_EQ(sweeper.Sweep(), absl::ZeroDuration());
  EXPECT_THAT(Deliveries(), SizeIs(2));
  sweeper.Sweep();
  EXPECT_THAT(Deliveries(), SizeIs(3));
  EXPECT_EQ(sweeper.Sweep(), absl::Seconds(1));
}

TEST_F(SweeperTest, SaysWhileMoreIsDueThanAPassTakesAndComesFirstForABoundedTime) {
  for (int i = 0; i < 8; ++i) AddMonitor(absl::StrCat("m", i), start_);
  Sweeper sweeper(store_, guard_, clock_, {.batch = 2, .first_for = absl::Seconds(10)}, metrics_);
  LiveUntil(deadline_ + absl::Seconds(1));
  EXPECT_FALSE(sweeper.behind());
  sweeper.Sweep();
  EXPECT_TRUE(sweeper.behind());
  EXPECT_TRUE(sweeper.comes_first());
  LiveUntil(deadline_ + absl::Seconds(12));
  sweeper.Sweep();
  EXPECT_TRUE(sweeper.behind());
  EXPECT_FALSE(sweeper.comes_first());
  for (int i = 0; i < 3; ++i) sweeper.Sweep();
  EXPECT_FALSE(sweeper.behind());
  EXPECT_EQ(Deliveries().size(), 8);
}

}  // namespace
}  // namespace tocsin::core
