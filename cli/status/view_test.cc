// What a person reads of how monitors stand.
#include "cli/status/view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/table.h"

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int64_t kThree = 1'773'111'600;  // 2026-03-10T03:00:00Z

v1::Monitor Worker() {
  v1::Monitor monitor;
  monitor.set_name("projects/default/monitors/checkout-worker");
  monitor.set_display_name("Checkout");
  monitor.set_severity(v1::Monitor::SEVERITY_CRITICAL);
  monitor.set_owner("payments");
  monitor.set_state(v1::Monitor::STATE_DOWN);
  monitor.set_open_incident("projects/default/incidents/1");
  monitor.mutable_schedule()->mutable_heartbeat()->mutable_timeout()->set_seconds(300);
  v1::Heartbeat& last = *monitor.mutable_last_heartbeat();
  last.set_kind(v1::Heartbeat::KIND_UP);
  last.mutable_receive_time()->set_seconds(kThree - 3120);
  last.set_message("done in 12 s");
  return monitor;
}

v1::Incident IncidentOf(v1::Incident::Cause cause) {
  v1::Incident incident;
  incident.set_name("projects/default/incidents/1");
  incident.set_cause(cause);
  incident.mutable_open_time()->set_seconds(kThree - 2820);
  return incident;
}

Standing WorkerDown() {
  Standing standing;
  standing.Add(Worker());
  standing.problems()[0].incident = IncidentOf(v1::Incident::CAUSE_MISSED_DEADLINE);
  return standing;
}

StatusView At(absl::Time now = absl::FromUnixSeconds(kThree)) {
  return {.now = now, .where = "Project default"};
}

std::string Why(const v1::Monitor& monitor, const v1::Incident& incident) {
  return WhyOf({.trouble = Trouble::kDown, .monitor = monitor, .incident = incident},
               absl::FromUnixSeconds(kThree));
}

TEST(StatusTextTest, AProblemIsToldWithSinceWhenWhyWhoseAndWhatCameLast) {
  EXPECT_EQ(StatusText(WorkerDown(), At()),
            "Project default, 2026-03-10 03:00:00Z\n"
            "1 down\n"
            "\n"
            "DOWN (1)\n"
            "  checkout-worker  critical  for 47m  payments\n"
            "      nothing came by 02:13:00Z; last up 02:08:00Z \"done in 12 s\"\n");
}

TEST(StatusTextTest, MarksAndTheRunbookAreShown) {
  Standing standing = WorkerDown();
  v1::Monitor& monitor = standing.problems()[0].monitor;
  monitor.set_runbook_url("https://example.org/r");
  monitor.set_flapping(true);
  monitor.mutable_mute_expire_time()->set_seconds(kThree + 3600);
  const std::string text = StatusText(standing, At());
  EXPECT_THAT(text, HasSubstr("payments  flapping, muted until 04:00:00Z\n"));
  EXPECT_THAT(text, HasSubstr("      runbook: https://example.org/r\n"));
}

TEST(StatusTextTest, ThatAllIsWellIsSaidInALine) {
  Standing standing;
  v1::Monitor up = Worker();
  up.set_state(v1::Monitor::STATE_UP);
  standing.Add(up);
  up.set_state(v1::Monitor::STATE_PAUSED);
  standing.Add(up);
  EXPECT_EQ(StatusText(standing, At()),
            "Project default, 2026-03-10 03:00:00Z\nAll well: 1 up, 1 paused\n");
  EXPECT_THAT(StatusText(Standing(), At()), HasSubstr("No monitors."));
}

TEST(StatusTextTest, NoLineIsLongerThanTheTerminalIsWide) {
  Standing standing = WorkerDown();
  standing.problems()[0].monitor.mutable_last_heartbeat()->set_message(std::string(300, 'x'));
  standing.problems()[0].monitor.set_owner(std::string(100, 'o'));
  StatusView view = At();
  view.terminal = {.colour = true, .width = 80};
  for (const auto line : absl::StrSplit(StatusText(standing, view), '\n')) {
    EXPECT_LE(Width(line) - 8 * std::count(line.begin(), line.end(), '\x1b') / 2, 80) << line;
  }
  view.terminal.width = 0;
  EXPECT_THAT(StatusText(standing, view), HasSubstr(std::string(190, 'x')));
}

TEST(StatusTextTest, WhatIsNotShownIsCounted) {
  Standing standing;
  for (int i = 0; i < 5; ++i) standing.Add(Worker());
  standing.AddUnread(v1::Monitor::STATE_DOWN);
  StatusView view = At();
  view.limit = 2;
  const std::string text = StatusText(standing, view);
  EXPECT_THAT(text, HasSubstr("DOWN (5+)\n"));
  EXPECT_THAT(text, HasSubstr("  … and 3 or more: tocsin monitor list --filter 'state = DOWN'\n"));
}

TEST(StatusTextTest, WhatWasNotLookedAtIsSaid) {
  Standing standing = WorkerDown();
  standing.AddUnread(v1::Monitor::STATE_UP);
  EXPECT_THAT(StatusText(standing, At()), HasSubstr("nobody knows here"));
}

TEST(StatusTextTest, WhatAJobSaidDoesNotSteerTheTerminal) {
  v1::Monitor monitor = Worker();
  v1::Incident incident = IncidentOf(v1::Incident::CAUSE_REPORTED_DOWN);
  incident.set_message("a\x1b[2Jb\nc");
  EXPECT_EQ(Why(monitor, incident), "the job said at 02:13:00Z that it failed: \"a [2Jb c\"");
}

TEST(WhyTest, EachCauseIsToldInWords) {
  v1::Monitor monitor = Worker();
  monitor.mutable_last_heartbeat()->set_message("OK");
  monitor.mutable_max_run_duration()->set_seconds(7200);
  EXPECT_EQ(Why(monitor, IncidentOf(v1::Incident::CAUSE_RUN_OVERRAN)),
            "a run took longer than 2h; last up 02:08:00Z");
  monitor.mutable_last_heartbeat()->set_value(95);
  monitor.set_value_max(90);
  EXPECT_EQ(Why(monitor, IncidentOf(v1::Incident::CAUSE_VALUE_OUT_OF_RANGE)),
            "value 95, accepted: at most 90; last up 02:08:00Z");
  monitor.mutable_last_heartbeat()->set_exit_status(3);
  EXPECT_EQ(Why(monitor, IncidentOf(v1::Incident::CAUSE_REPORTED_DOWN)),
            "the job said at 02:13:00Z that it failed (exit status 3)");
}

TEST(WhyTest, ATimeOfAnotherDayHasItsDate) {
  v1::Monitor monitor = Worker();
  monitor.mutable_last_heartbeat()->mutable_receive_time()->set_seconds(kThree - 86400);
  EXPECT_THAT(Why(monitor, IncidentOf(v1::Incident::CAUSE_MISSED_DEADLINE)),
              HasSubstr("last up 2026-03-09 03:00:00Z"));
}

TEST(WhyTest, OfOneThatNeverReportedItIsSaidWhetherItWillAlert) {
  v1::Monitor monitor = Worker();
  monitor.set_state(v1::Monitor::STATE_NEW);
  monitor.clear_last_heartbeat();
  monitor.mutable_create_time()->set_seconds(kThree - 86400);
  const auto why = [&] {
    return WhyOf({.trouble = Trouble::kNeverReported, .monitor = monitor},
                 absl::FromUnixSeconds(kThree));
  };
  EXPECT_EQ(why(),
            "no heartbeat since it was made, 2026-03-09 03:00:00Z; no alert: made without "
            "--arm-on-create");
  monitor.mutable_deadline_time()->set_seconds(kThree + 60);
  EXPECT_THAT(why(), HasSubstr("2026-03-09 03:00:00Z, down at 03:01:00Z"));
}

TEST(StatusJsonTest, ProgramsGetCountsAndTheMessagesOfTheApi) {
  Standing standing = WorkerDown();
  standing.AddUnread(v1::Monitor::STATE_UP);
  const auto json = StatusJson(standing, At());
  EXPECT_EQ(json["time"], "2026-03-10T03:00:00Z");
  EXPECT_EQ(json["wrong"], true);
  EXPECT_EQ(json["counts"]["down"], 1);
  EXPECT_EQ(json["counts"]["up"], 0);
  EXPECT_THAT(json["atLeast"].dump(), HasSubstr("\"up\""));
  EXPECT_EQ(json["problems"][0]["trouble"], "down");
  EXPECT_EQ(json["problems"][0]["monitor"]["owner"], "payments");
  EXPECT_EQ(json["problems"][0]["incident"]["cause"], "CAUSE_MISSED_DEADLINE");
}

}  // namespace
}  // namespace tocsin::cli
