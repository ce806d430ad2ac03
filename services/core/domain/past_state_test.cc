// What a monitor was like, from the audit log and what was heard.
#include "services/core/domain/past_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/core/domain/deadline.h"
#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using testing::Beat;
using testing::CronSchedule;
using testing::DownAt;
using testing::MinuteMonitor;
using testing::Second;
using testing::UpAt;
using testing::UpSince;

AuditRecord Changed(double at, const Monitor& before, const Monitor& after) {
  return {.at = Second(at),
          .caller = {.actor = "anna", .method = "tocsin.v1.MonitorService/UpdateMonitor"},
          .changes = ChangesOf(&before, &after)};
}

Monitor With(const MonitorDefinition& definition, State state = State::kUp) {
  Monitor monitor = {.definition = definition, .state = UpSince(Second(0))};
  monitor.state.state = state;
  return monitor;
}

TEST(PastState, SettingsAreTakenBackByTheAuditLog) {
  const MonitorDefinition first = MinuteMonitor();
  MonitorDefinition second = first;
  second.schedule.timeout = absl::Seconds(2592001);
  second.schedule.grace = absl::Milliseconds(1500);
  second.failure_threshold = 3;
  second.value_max = 1234567.25;
  second.channels = {"ops", "pager"};
  MonitorDefinition third = second;
  third.schedule = CronSchedule("30 2 * * *", absl::Minutes(5), "Europe/Paris");
  third.channels = {};
  third.value_max.reset();
  const std::vector<AuditRecord> later = {Changed(20, With(second), With(third)),
                                          Changed(10, With(first), With(second))};
  EXPECT_EQ(DefinitionBefore(third, {later[0]}), second);
  EXPECT_EQ(DefinitionBefore(third, later), first);
  // And the other way round: from a timeout to the cron expression that was before.
  EXPECT_EQ(DefinitionBefore(second, {Changed(30, With(third), With(second))}), third);
}

TEST(PastState, ADeadlineOfThePastIsComputedAsItWas) {
  const MonitorDefinition definition = MinuteMonitor();
  const std::vector<KnownHeartbeat> heard = {
      {.heartbeat = UpAt(Second(70)), .reason = Reason::kStale},
      {.heartbeat = UpAt(Second(60)), .reason = Reason::kRecorded},
      {.heartbeat = UpAt(Second(0)), .reason = Reason::kRecorded}};
  const MonitorState state = StateAt(definition, UpSince(Second(1000)), {}, heard, {}, Second(80));
  EXPECT_EQ(state.state, State::kUp);
  EXPECT_EQ(DeadlineOf(definition, state, {}).at, Second(120));
}

TEST(PastState, CountedFailuresMoveTheNextDeadline) {
  MonitorDefinition definition = MinuteMonitor();
  definition.failure_threshold = 3;
  const std::vector<KnownHeartbeat> heard = {
      {.heartbeat = UpAt(Second(0)), .reason = Reason::kRecorded}};
  const PassedDeadline passed = {.monitor = 7,
                                 .at = Second(60),
                                 .plain = Second(60),
                                 .expected_at = Second(60),
                                 .judged_at = Second(60),
                                 .reason = Reason::kCounted,
                                 .failures = 1,
                                 .threshold = 3};
  const MonitorState state =
      StateAt(definition, UpSince(Second(1000)), {}, heard, {passed}, Second(80));
  EXPECT_EQ(state.failures, 1);
  EXPECT_EQ(DeadlineOf(definition, state, {}).at, Second(120));
}

TEST(PastState, APauseIsKnownByTheChangeBeforeOrAfterIt) {
  const MonitorDefinition definition = MinuteMonitor();
  const AuditRecord paused = Changed(10, With(definition), With(definition, State::kPaused));
  const AuditRecord resumed = Changed(50, With(definition, State::kPaused), With(definition));
  const std::vector<KnownHeartbeat> heard = {
      {.heartbeat = UpAt(Second(0)), .reason = Reason::kRecorded}};
  const auto at = [&](const ChangesAround& changes, double second) {
    return StateAt(definition, UpSince(Second(0)), changes, heard, {}, Second(second));
  };
  EXPECT_EQ(at({.before = {paused}, .later = {resumed}}, 20).state, State::kPaused);
  EXPECT_EQ(RestedBy({.before = {paused}, .later = {resumed}})->at, Second(10));
  // The pause is older than what the log keeps.
  EXPECT_EQ(at({.before = {}, .later = {resumed}}, 20).state, State::kPaused);
  const MonitorState after = at({.before = {resumed, paused}, .later = {}}, 60);
  EXPECT_EQ(after.state, State::kUp);
  EXPECT_EQ(DeadlineOf(definition, after, {}).at, Second(110));
  EXPECT_FALSE(RestedBy({.before = {resumed, paused}, .later = {}}).has_value());
}

TEST(PastState, ADeletionRestsItAndIsTakenBack) {
  const Monitor monitor = With(MinuteMonitor());
  Monitor deleted = monitor;
  deleted.definition.deleted_at = Second(50);
  const AuditRecord deletion = {.at = Second(50),
                                .caller = {.method = "tocsin.v1.MonitorService/DeleteMonitor"},
                                .changes = ChangesOf(&monitor, nullptr)};
  EXPECT_EQ(DefinitionBefore(deleted.definition, {deletion}), monitor.definition);
  EXPECT_EQ(RestedBy({.before = {deletion}, .later = {}})->at, Second(50));
  const AuditRecord undeletion = Changed(90, deleted, monitor);
  EXPECT_EQ(DefinitionBefore(monitor.definition, {undeletion}), deleted.definition);
  EXPECT_EQ(StateAt(monitor.definition, UpSince(Second(0)), {.before = {deletion}, .later = {}}, {},
                    {}, Second(60))
                .state,
            State::kPaused);
  // Before it, it was not paused, whether it has come back since or not.
  const std::vector<KnownHeartbeat> heard = {
      {.heartbeat = UpAt(Second(0)), .reason = Reason::kRecorded}};
  MonitorState paused = UpSince(Second(0));
  paused.state = State::kPaused;
  const AuditRecord resumption =
      Changed(95, With(MinuteMonitor(), State::kPaused), With(MinuteMonitor()));
  for (const std::vector<AuditRecord>& later :
       {std::vector<AuditRecord>{deletion}, {resumption, undeletion, deletion}}) {
    EXPECT_EQ(
        StateAt(monitor.definition, paused, {.before = {}, .later = later}, heard, {}, Second(40))
            .state,
        State::kUp);
  }
}

TEST(PastState, AHeartbeatMayHaveResumedIt) {
  const MonitorDefinition definition = MinuteMonitor();
  const AuditRecord paused = Changed(10, With(definition), With(definition, State::kPaused));
  const std::vector<KnownHeartbeat> heard = {
      {.heartbeat = UpAt(Second(20)), .reason = Reason::kResumed}};
  EXPECT_EQ(StateAt(definition, UpSince(Second(20)), {.before = {paused}, .later = {}}, heard, {},
                    Second(30))
                .state,
            State::kUp);
}

TEST(PastState, AnOpenRunStandsInForTheSchedule) {
  MonitorDefinition definition = MinuteMonitor();
  definition.max_run_duration = absl::Minutes(5);
  const std::vector<KnownHeartbeat> heard = {
      {.heartbeat = Beat(HeartbeatKind::kStart, Second(30)), .reason = Reason::kRunStarted},
      {.heartbeat = UpAt(Second(0)), .reason = Reason::kRecorded}};
  const MonitorState state = StateAt(definition, UpSince(Second(1000)), {}, heard, {}, Second(80));
  EXPECT_EQ(DeadlineOf(definition, state, {}).at, Second(330));
}

TEST(PastState, WhatWasNeverHeardIsNew) {
  MonitorDefinition definition = MinuteMonitor();
  EXPECT_EQ(StateAt(definition, UpSince(Second(100)), {}, {}, {}, Second(80)).state, State::kNew);
  definition.arm_on_create = true;
  const MonitorState armed = StateAt(definition, UpSince(Second(100)), {}, {}, {}, Second(30));
  EXPECT_EQ(DeadlineOf(definition, armed, {}).at, Second(60));
}

}  // namespace
}  // namespace tocsin::core
