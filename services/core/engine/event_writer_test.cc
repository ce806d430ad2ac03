// What a decision leads to: incident, event, deliveries, state.
#include "services/core/engine/event_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/testing/fake_clock.h"
#include "services/core/domain/deadline.h"
#include "services/core/domain/passed_deadline.h"
#include "services/core/store/memory/memory_store.h"
#include "services/core/store/new_delivery.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class EventWriterTest : public ::testing::Test {
 protected:
  EventWriterTest() {
    Run([this](Transaction& transaction) -> absl::Status {
      AddChannel(transaction, "all", "", true);
      AddChannel(transaction, "payments", "team=payments", false);
      MonitorDefinition definition;
      definition.project = project_;
      definition.project_id = "default";
      definition.id = "job";
      definition.labels = {{"team", "payments"}};
      definition.schedule = {.timeout = absl::Seconds(60),
                             .recommended_interval = absl::Seconds(60),
                             .grace = absl::ZeroDuration()};
      Monitor monitor = {.definition = definition, .state = {}};
      monitor.state.state = State::kUp;
      monitor.state.last_at = clock_.Now();
      monitor_ = transaction.InsertMonitor(monitor, absl::InfiniteFuture())->key;
      return absl::OkStatus();
    });
  }

  void Run(absl::FunctionRef<absl::Status(Transaction&)> body) {
    const absl::Status status = store_.Transact(TransactionClass::kAdmin, body);
    EXPECT_TRUE(status.ok()) << status;
  }

  void AddChannel(Transaction& transaction, const std::string& id, const std::string& selector,
                  bool is_default) {
    Channel channel;
    channel.project = project_;
    channel.project_id = "default";
    channel.id = id;
    channel.selector = selector;
    channel.is_default = is_default;
    ASSERT_TRUE(transaction.InsertChannel(channel).ok());
  }

  // Gives an input to the monitor and writes what follows.
  Decision Give(const Input& input, const GapList& gaps = {}) {
    Decision decision;
    Run([&](Transaction& transaction) -> absl::Status {
      Monitor monitor = transaction.LockMonitors({monitor_}, LockMode::kWait)->front();
      const Deadline deadline = DeadlineOf(monitor.definition, monitor.state, gaps);
      decision = Decide(monitor.definition, monitor.state, input, gaps, clock_.Now());
      if (const auto untold = PassedUntold(monitor.definition, deadline, decision, clock_.Now())) {
        EXPECT_TRUE(transaction.AddPassedDeadlines({&*untold, 1}).ok());
      }
      if (const auto* arrived = std::get_if<HeartbeatArrived>(&input)) {
        EXPECT_TRUE(transaction
                        .AddHeartbeats({{.monitor = monitor_,
                                         .heartbeat = arrived->heartbeat,
                                         .reason = decision.reason}})
                        .ok());
      }
      return WriteDecision(transaction, monitor, decision, clock_.Now());
    });
    return decision;
  }
  Decision Push(HeartbeatKind kind, const std::string& message = "") {
    Heartbeat heartbeat;
    heartbeat.kind = kind;
    heartbeat.at = clock_.Now();
    heartbeat.message = message;
    return Give(HeartbeatArrived{heartbeat});
  }

  std::vector<AlertEvent> Events() {
    (void)store_.SequenceFeed(100);
    std::vector<AlertEvent> events;
    const std::vector<FeedEntry> entries = *store_.ReadFeed(0, 0, INT64_MAX, 100);
    for (const FeedEntry& entry : entries) events.push_back(entry.event);
    return events;
  }
  // Newest first.
  std::vector<DeliveryView> Deliveries() {
    return *store_.ListDeliveries({.project = project_, .limit = 100});
  }
  std::vector<LeasedDelivery> Lease() {
    return *store_.LeaseDeliveries({.notifier = "n",
                                    .lease_id = "l",
                                    .now = clock_.Now(),
                                    .lease = absl::Seconds(30),
                                    .limit = 100,
                                    .per_channel = 100,
                                    .per_failing_channel = 100});
  }
  void Report(const std::vector<LeasedDelivery>& leased, DeliveryResult result) {
    for (const LeasedDelivery& each : leased) {
      DeliveryReport report;
      report.lease_id = each.delivery.lease_id;
      report.delivery_id = each.delivery.id;
      report.result = result;
      report.retry_after = absl::Hours(1);
      EXPECT_TRUE(store_.ApplyReports({&report, 1}, clock_.Now()).ok());
    }
  }
  // Oldest first.
  std::vector<Delivery> Waiting() {
    std::vector<Delivery> waiting;
    for (const DeliveryView& view : Deliveries()) {
      if (view.delivery.state == DeliveryState::kPending) {
        waiting.insert(waiting.begin(), view.delivery);
      }
    }
    return waiting;
  }
  void Remind(absl::Duration interval) {
    Run([&](Transaction& transaction) -> absl::Status {
      MonitorDefinition definition =
          transaction.LockMonitors({monitor_}, LockMode::kWait)->front().definition;
      definition.reminder_interval = interval;
      return transaction.SaveDefinition(definition).status();
    });
  }
  void Flap(int transitions) {
    for (int i = 0; i < transitions; ++i) {
      clock_.Advance(absl::Seconds(10));
      Push(i % 2 == 0 ? HeartbeatKind::kDown : HeartbeatKind::kUp);
    }
  }
  void FlapUntilSomeAreLeftOut();
  Monitor Stored() { return store_.FindMonitor("default", "job")->value(); }

  FakeClock clock_;
  MemoryStore store_{clock_};
  const ProjectKey project_ = store_.FindProject("default")->value();
  MonitorKey monitor_ = 0;
};

TEST_F(EventWriterTest, AFiringIsWrittenWithItsIncidentAndADeliveryForEachChannel) {
  clock_.Advance(absl::Seconds(10));
  Push(HeartbeatKind::kDown, "disk full");
  ASSERT_THAT(Events(), SizeIs(1));
  const AlertEvent event = Events()[0];
  EXPECT_EQ(event.type, EventType::kFiring);
  EXPECT_EQ(event.sequence, 1);
  EXPECT_EQ(event.occurred_at, clock_.Now());
  EXPECT_EQ(event.state, State::kDown);
  EXPECT_EQ(event.definition.id, "job");
  ASSERT_TRUE(event.last_heartbeat.has_value());
  EXPECT_EQ(event.last_heartbeat->message, "disk full");
  EXPECT_EQ(Stored().state.incident->key, event.incident.key);
  ASSERT_THAT(Deliveries(), SizeIs(1));
  EXPECT_EQ(Deliveries()[0].channel_id, "payments");
  EXPECT_THAT(Deliveries()[0].delivery.events, ElementsAre(event.key));
  EXPECT_EQ(Deliveries()[0].delivery.expires_at, clock_.Now() + kDeliveryLifetime);
}

TEST_F(EventWriterTest, AMissedDeadlineTellsWhenTheHeartbeatWasExpected) {
  const absl::Time start = clock_.Now();
  clock_.Advance(absl::Seconds(61));
  Give(DeadlineChecked{});
  EXPECT_EQ(Events()[0].expected_at, start + absl::Seconds(60));
  EXPECT_EQ(Events()[0].occurred_at, start + absl::Seconds(60));
  EXPECT_EQ(Events()[0].detected_at, clock_.Now());
}

TEST_F(EventWriterTest, AnAlertThatWasHeldBackTellsWhenTheHeartbeatWasExpectedToo) {
  const absl::Time last = clock_.Now();
  const GapList mute = {{.kind = GapKind::kMute, .start = last, .end = last + absl::Hours(1)}};
  clock_.Advance(absl::Seconds(61));
  ASSERT_TRUE(Give(DeadlineChecked{}, mute).opened->held_until.has_value());
  EXPECT_THAT(Events(), IsEmpty());
  clock_.Advance(absl::Hours(1));
  ASSERT_TRUE(Give(DeadlineChecked{}, mute).told);
  const std::vector<AlertEvent> events = Events();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].type, EventType::kFiring);
  EXPECT_EQ(events[0].expected_at, last + absl::Seconds(60));
}

TEST_F(EventWriterTest, ARunThatOverranWhileNothingWasToldIsNamedAfterwards) {
  const absl::Time started = clock_.Now();
  Run([&](Transaction& transaction) -> absl::Status {
    Monitor monitor = transaction.LockMonitors({monitor_}, LockMode::kWait)->front();
    monitor.state.runs = {
        {.id = "nightly", .started_at = started, .due_at = started + absl::Seconds(30)}};
    const StateChange change = {
        .monitor = monitor_, .state = monitor.state, .last_push_id = 0, .sweep_at = std::nullopt};
    return transaction.SaveStates({&change, 1});
  });
  const GapList mute = {
      {.kind = GapKind::kMute, .start = started, .end = started + absl::Hours(1)}};
  clock_.Advance(absl::Seconds(31));
  ASSERT_TRUE(Give(DeadlineChecked{}, mute).opened.has_value());
  clock_.Advance(absl::Hours(1));
  ASSERT_TRUE(Give(DeadlineChecked{}, mute).told);
  const std::vector<AlertEvent> events = Events();
  ASSERT_THAT(events, SizeIs(1));
  ASSERT_TRUE(events[0].run.has_value());
  EXPECT_EQ(events[0].run->id, "nightly");
  EXPECT_EQ(events[0].run->started_at, started);
}

TEST_F(EventWriterTest, AMissedDeadlineNamesTheRunThatBeganForIt) {
  Push(HeartbeatKind::kUp);
  clock_.Advance(absl::Seconds(30));
  const absl::Time started = clock_.Now();
  Push(HeartbeatKind::kStart);
  clock_.Advance(absl::Minutes(2));
  Give(DeadlineChecked{});
  ASSERT_TRUE(Events().at(0).run.has_value());
  EXPECT_EQ(Events().at(0).run->started_at, started);
}

TEST_F(EventWriterTest, AMissedDeadlineNamesNoRunThatBeganAfterIt) {
  Push(HeartbeatKind::kUp);
  clock_.Advance(absl::Minutes(2));
  Push(HeartbeatKind::kStart);
  clock_.Advance(absl::Seconds(1));
  Give(DeadlineChecked{});
  EXPECT_FALSE(Events().at(0).run.has_value());
}

TEST_F(EventWriterTest, AMissedDeadlineNamesNoRunThatWasLeftOpenBefore) {
  Push(HeartbeatKind::kStart);
  clock_.Advance(absl::Seconds(30));
  Heartbeat named;
  named.kind = HeartbeatKind::kUp;
  named.at = clock_.Now();
  named.run_id = "another";
  Give(HeartbeatArrived{named});
  clock_.Advance(absl::Minutes(2));
  Give(DeadlineChecked{});
  EXPECT_FALSE(Events().at(0).run.has_value());
}

TEST_F(EventWriterTest, WhatFlapsAndIsPausedWhileItIsDownIsNotSaidToHaveRecovered) {
  Flap(8);
  Push(HeartbeatKind::kDown);  // of which nobody is told
  Give(Paused{});
  const AlertEvent last = Events().back();
  EXPECT_EQ(last.incident.resolution, Resolution::kPaused);
  EXPECT_EQ(last.occurred_at, clock_.Now());
  EXPECT_EQ(last.state, State::kPaused);
}

TEST_F(EventWriterTest, WhatFlapsAndIsPausedWhileItIsUpHasRecovered) {
  Flap(8);
  Give(Paused{});
  EXPECT_EQ(Events().back().incident.resolution, Resolution::kRecovered);
  EXPECT_EQ(Events().back().state, State::kUp);
}

TEST_F(EventWriterTest, AResolutionGoesToWhoWasGivenTheFiringWhateverChangedSince) {
  Push(HeartbeatKind::kDown);
  EXPECT_THAT(Lease(), SizeIs(1));
  MonitorDefinition definition = Stored().definition;
  definition.labels.clear();
  Run([&](Transaction& transaction) { return transaction.SaveDefinition(definition).status(); });
  clock_.Advance(absl::Seconds(5));
  Push(HeartbeatKind::kUp);
  ASSERT_THAT(Deliveries(), SizeIs(2));
  EXPECT_EQ(Deliveries()[0].channel_id, "payments");
  EXPECT_EQ(Deliveries()[0].delivery.type, DeliveryType::kIncidentResolved);
  EXPECT_EQ(Deliveries()[0].delivery.sequence, 2);
  EXPECT_THAT(Deliveries()[0].delivery.events, ElementsAre(Events()[1].key));
  EXPECT_FALSE(Stored().state.incident.has_value());
}

TEST_F(EventWriterTest, WhatOpenedAndClosedBeforeAnythingWasSentGoesOutAsOneMessage) {
  Push(HeartbeatKind::kDown);
  clock_.Advance(absl::Seconds(5));
  Push(HeartbeatKind::kUp);
  const std::vector<LeasedDelivery> leased = Lease();
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_EQ(leased[0].delivery.type, DeliveryType::kIncidentResolved);
  ASSERT_THAT(leased[0].events, SizeIs(2));
  EXPECT_EQ(leased[0].events[0].type, EventType::kFiring);
  EXPECT_EQ(leased[0].events[1].type, EventType::kResolved);
  EXPECT_EQ(Deliveries()[1].delivery.state, DeliveryState::kSuperseded);
}

TEST_F(EventWriterTest, WhatOpenedAndClosedWhileNothingCouldBeDeliveredGoesOutAsOneMessage) {
  Push(HeartbeatKind::kDown);
  for (const DeliveryResult result : {DeliveryResult::kDeferred, DeliveryResult::kRetry}) {
    Report(Lease(), result);
    clock_.Advance(absl::Hours(1));
  }
  Push(HeartbeatKind::kUp);
  const std::vector<LeasedDelivery> leased = Lease();
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_THAT(leased[0].events, SizeIs(2));
  EXPECT_EQ(Deliveries()[1].delivery.state, DeliveryState::kSuperseded);
}

TEST_F(EventWriterTest, AFalseAlarmThatAReceiverMayHaveHeardIsTold) {
  const absl::Time start = clock_.Now();
  clock_.Advance(absl::Seconds(61));
  Give(DeadlineChecked{});
  Report(Lease(), DeliveryResult::kRetry);
  Heartbeat late;
  late.at = start + absl::Seconds(59);
  EXPECT_EQ(Give(HeartbeatArrived{late}).reason, Reason::kLateHeartbeat);
  const std::vector<LeasedDelivery> leased = Lease();
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_EQ(leased[0].delivery.type, DeliveryType::kIncidentResolved);
  EXPECT_THAT(leased[0].events, SizeIs(2));
}

TEST_F(EventWriterTest, AFalseAlarmThatWasHandedBackUntriedIsNotTold) {
  const absl::Time start = clock_.Now();
  clock_.Advance(absl::Seconds(61));
  Give(DeadlineChecked{});
  Report(Lease(), DeliveryResult::kDeferred);
  Heartbeat late;
  late.at = start + absl::Seconds(59);
  EXPECT_EQ(Give(HeartbeatArrived{late}).reason, Reason::kLateHeartbeat);
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(Lease(), IsEmpty());
}

TEST_F(EventWriterTest, ALateHeartbeatWithdrawsAFiringThatNobodyWasSent) {
  const absl::Time start = clock_.Now();
  clock_.Advance(absl::Seconds(61));
  Give(DeadlineChecked{});
  Heartbeat late;
  late.at = start + absl::Seconds(59);
  EXPECT_EQ(Give(HeartbeatArrived{late}).reason, Reason::kLateHeartbeat);
  EXPECT_THAT(Events(), SizeIs(2));
  EXPECT_THAT(Lease(), IsEmpty());
}

TEST_F(EventWriterTest, ALateHeartbeatResolvesAFiringThatWasSent) {
  const absl::Time start = clock_.Now();
  clock_.Advance(absl::Seconds(61));
  Give(DeadlineChecked{});
  EXPECT_THAT(Lease(), SizeIs(1));
  Heartbeat late;
  late.at = start + absl::Seconds(59);
  Give(HeartbeatArrived{late});
  ASSERT_THAT(Deliveries(), SizeIs(2));
  EXPECT_EQ(Deliveries()[0].delivery.type, DeliveryType::kIncidentResolved);
  EXPECT_THAT(Deliveries()[0].delivery.events, SizeIs(1));
}

// As many incidents as it takes for a message to say that some were left out; the last one is open.
// Seldom enough that each is told.
void EventWriterTest::FlapUntilSomeAreLeftOut() {
  while (Waiting().back().skipped == 0) {
    clock_.Advance(absl::Minutes(12));
    if (Stored().state.state == State::kDown) Push(HeartbeatKind::kUp);
    clock_.Advance(absl::Minutes(12));
    Push(HeartbeatKind::kDown);
  }
}

TEST_F(EventWriterTest, OfAMonitorThatFlapsAReceiverHearsTheFirstFiringAndTheNewestState) {
  Push(HeartbeatKind::kDown);
  const std::vector<LeasedDelivery> sending = Lease();
  FlapUntilSomeAreLeftOut();
  const std::vector<Delivery> waiting = Waiting();
  ASSERT_THAT(waiting, SizeIs(2));
  EXPECT_EQ(waiting[0].sequence, 1);
  EXPECT_EQ(waiting[0].type, DeliveryType::kIncidentOpened);
  EXPECT_EQ(waiting[1].sequence, Stored().state.sequence);
  EXPECT_EQ(waiting[1].type, DeliveryType::kIncidentOpened);
  // All but those two were left out.
  EXPECT_EQ(waiting[1].skipped, Stored().state.sequence - 2);
}

TEST_F(EventWriterTest, WhatWasLeftOutIsToldByTheMessageThatTakesThePlaceOfTheFiring) {
  Push(HeartbeatKind::kDown);
  const std::vector<LeasedDelivery> sending = Lease();
  FlapUntilSomeAreLeftOut();
  const int32_t skipped = Waiting().back().skipped;
  clock_.Advance(absl::Seconds(5));
  Push(HeartbeatKind::kUp);
  const std::vector<Delivery> waiting = Waiting();
  ASSERT_THAT(waiting, SizeIs(2));
  EXPECT_EQ(waiting[1].type, DeliveryType::kIncidentResolved);
  EXPECT_THAT(waiting[1].events, SizeIs(2));
  EXPECT_EQ(waiting[1].skipped, skipped);
}

TEST_F(EventWriterTest, AFalseAlarmIsToldWhenResolutionsWereLeftOutBeforeIt) {
  Push(HeartbeatKind::kDown);
  const std::vector<LeasedDelivery> sending = Lease();
  for (bool missed = false; !missed;) {
    clock_.Advance(absl::Minutes(30));
    Push(HeartbeatKind::kUp);
    const absl::Time up_at = clock_.Now();
    clock_.Advance(absl::Seconds(61));
    Give(DeadlineChecked{});
    missed = Waiting().back().skipped > 0;
    if (!missed) continue;
    Heartbeat late;
    late.at = up_at + absl::Seconds(59);
    EXPECT_EQ(Give(HeartbeatArrived{late}).reason, Reason::kLateHeartbeat);
  }
  const std::vector<Delivery> waiting = Waiting();
  ASSERT_THAT(waiting, SizeIs(2));
  EXPECT_EQ(waiting[1].type, DeliveryType::kIncidentResolved);
  EXPECT_GT(waiting[1].skipped, 0);
}

TEST_F(EventWriterTest, ADeletedChannelIsToldNothingMore) {
  Push(HeartbeatKind::kDown);
  EXPECT_THAT(Lease(), SizeIs(1));
  const ChannelKey channel = Deliveries()[0].delivery.channel;
  Run([&](Transaction& transaction) { return transaction.DeleteChannel(channel, clock_.Now()); });
  clock_.Advance(absl::Seconds(5));
  Push(HeartbeatKind::kUp);
  EXPECT_THAT(Events(), SizeIs(2));
  EXPECT_THAT(Deliveries(), SizeIs(1));
}

TEST_F(EventWriterTest, ANewMessageOfAJobThatIsStillDownIsKept) {
  Push(HeartbeatKind::kDown, "disk full");
  clock_.Advance(absl::Seconds(5));
  Push(HeartbeatKind::kDown, "disk on fire");
  EXPECT_EQ(Stored().state.incident->message, "disk on fire");
  EXPECT_THAT(Events(), SizeIs(1));
}

TEST_F(EventWriterTest, AReminderGoesToWhoWasGivenTheFiringWhateverChangedSince) {
  Remind(absl::Minutes(10));
  Push(HeartbeatKind::kDown, "disk full");
  Report(Lease(), DeliveryResult::kDelivered);
  Run([this](Transaction& transaction) -> absl::Status {
    AddChannel(transaction, "new", "team=payments", false);
    return absl::OkStatus();
  });
  clock_.Advance(absl::Minutes(10));
  EXPECT_EQ(Give(DeadlineChecked{}).reason, Reason::kReminded);
  const std::vector<AlertEvent> events = Events();
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[1].type, EventType::kReminder);
  EXPECT_EQ(events[1].sequence, 2);
  EXPECT_EQ(events[1].occurred_at, clock_.Now());
  EXPECT_EQ(events[1].incident.key, events[0].incident.key);
  EXPECT_EQ(events[1].incident.reminded_at, clock_.Now());
  EXPECT_EQ(events[1].last_heartbeat->message, "disk full");
  ASSERT_THAT(Waiting(), SizeIs(1));
  EXPECT_EQ(Waiting()[0].type, DeliveryType::kIncidentReminder);
  EXPECT_EQ(Waiting()[0].sequence, 2);
  EXPECT_EQ(Waiting()[0].channel, Deliveries().back().delivery.channel);
  EXPECT_EQ(Stored().state.incident->reminded_at, clock_.Now());
}

TEST_F(EventWriterTest, AReminderThatWaitsIsSupersededByTheNextAndByTheResolution) {
  Remind(absl::Minutes(10));
  Push(HeartbeatKind::kDown);
  Report(Lease(), DeliveryResult::kDelivered);
  for (int64_t sequence = 2; sequence <= 4; ++sequence) {
    clock_.Advance(absl::Minutes(10));
    Give(DeadlineChecked{});
    ASSERT_THAT(Waiting(), SizeIs(1));
    EXPECT_EQ(Waiting()[0].sequence, sequence);
    EXPECT_EQ(Waiting()[0].skipped, 0);
  }
  EXPECT_EQ(Push(HeartbeatKind::kUp).reason, Reason::kRecovered);
  ASSERT_THAT(Waiting(), SizeIs(1));
  EXPECT_EQ(Waiting()[0].type, DeliveryType::kIncidentResolved);
  EXPECT_EQ(Waiting()[0].sequence, 5);
}

TEST_F(EventWriterTest, AnIncidentThatClosesBeforeAnythingWasSentTakesItsReminderWithIt) {
  Remind(absl::Minutes(10));
  Push(HeartbeatKind::kDown);
  clock_.Advance(absl::Minutes(10));
  Give(DeadlineChecked{});
  EXPECT_THAT(Waiting(), SizeIs(2));
  Push(HeartbeatKind::kUp);
  ASSERT_THAT(Waiting(), SizeIs(1));
  EXPECT_THAT(Waiting()[0].events, SizeIs(2));
}

TEST_F(EventWriterTest, TheSweepIsExact) {
  EXPECT_EQ(Push(HeartbeatKind::kUp).reason, Reason::kRecorded);
  EXPECT_EQ(*store_.NextSweepAt({}), clock_.Now() + absl::Seconds(60));
  Push(HeartbeatKind::kDown);
  EXPECT_EQ(*store_.NextSweepAt({}), absl::InfiniteFuture());
}

}  // namespace
}  // namespace tocsin::core
