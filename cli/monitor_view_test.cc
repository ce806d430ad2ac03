// What people see of monitors.
#include "cli/monitor_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kTwo = 1'773'108'000;  // 2026-03-10T02:00:00Z

v1::Monitor Nightly() {
  v1::Monitor monitor;
  monitor.set_name("projects/default/monitors/nightly");
  monitor.set_state(v1::Monitor::STATE_UP);
  monitor.set_failure_threshold(1);
  monitor.set_recovery_threshold(1);
  v1::CronSchedule& cron = *monitor.mutable_schedule()->mutable_cron();
  cron.set_expression("0 2 * * *");
  cron.set_time_zone("Europe/Paris");
  cron.mutable_grace()->set_seconds(300);
  monitor.mutable_expect_time()->set_seconds(kTwo);
  monitor.mutable_deadline_time()->set_seconds(kTwo + 300);
  return monitor;
}

TEST(MonitorViewTest, SchedulesAreSaidInWords) {
  EXPECT_EQ(ScheduleWords(Nightly().schedule()), "0 2 * * * Europe/Paris, grace 5m");
  v1::Schedule schedule;
  schedule.mutable_heartbeat()->mutable_timeout()->set_seconds(90);
  schedule.mutable_heartbeat()->mutable_grace()->set_seconds(5);
  EXPECT_EQ(ScheduleWords(schedule), "every 1m30s, grace 5s");
}

TEST(MonitorViewTest, WhatIsExpectedAndUntilWhenIsShown) {
  const std::string text = MonitorTable(Nightly()).ToString();
  EXPECT_THAT(text, HasSubstr("Schedule  0 2 * * * Europe/Paris, grace 5m\n"));
  EXPECT_THAT(text, HasSubstr("Expected  2026-03-10 02:00:00Z\n"));
  EXPECT_THAT(text, HasSubstr("Deadline  2026-03-10 02:05:00Z\n"));
}

TEST(MonitorViewTest, EachRunIsALine) {
  v1::Monitor monitor = Nightly();
  v1::Run& unnamed = *monitor.add_runs();
  unnamed.mutable_start_time()->set_seconds(kTwo);
  v1::Run& named = *monitor.add_runs();
  named.set_id("42");
  named.mutable_start_time()->set_seconds(kTwo + 60);
  named.mutable_due_time()->set_seconds(kTwo + 120);
  const std::string text = MonitorTable(monitor).ToString();
  EXPECT_THAT(text, HasSubstr("Running   since 2026-03-10 02:00:00Z\n"));
  EXPECT_THAT(text,
              HasSubstr("Running   42 since 2026-03-10 02:01:00Z, due 2026-03-10 02:02:00Z\n"));
}

TEST(MonitorViewTest, OnlyWhatIsUnusualIsShown) {
  v1::Monitor monitor = Nightly();
  for (const char* unusual : {"in a row", "Values", "Reminders", "Longest run", "Running"}) {
    EXPECT_THAT(MonitorTable(monitor).ToString(), Not(HasSubstr(unusual)));
  }
  monitor.set_failure_threshold(3);
  monitor.set_recovery_threshold(2);
  monitor.set_value_max(90);
  monitor.mutable_reminder_interval()->set_seconds(3600);
  monitor.mutable_max_run_duration()->set_seconds(7200);
  const std::string text = MonitorTable(monitor).ToString();
  EXPECT_THAT(text, HasSubstr("after 3 failures in a row\n"));
  EXPECT_THAT(text, HasSubstr("after 2 successes in a row\n"));
  EXPECT_THAT(text, HasSubstr("at most 90\n"));
  EXPECT_THAT(text, HasSubstr("every 1h\n"));
  EXPECT_THAT(text, HasSubstr("2h\n"));
  monitor.set_value_min(-0.5);
  EXPECT_THAT(MonitorTable(monitor).ToString(), HasSubstr("from -0.5 to 90\n"));
}

TEST(MonitorViewTest, AListHasScheduleExpectationDeadlineAndRuns) {
  v1::ListMonitorsResponse monitors;
  *monitors.add_monitors() = Nightly();
  monitors.mutable_monitors(0)->add_runs();
  const std::string text = MonitorsTable(monitors).ToString();
  EXPECT_THAT(
      text, testing::ContainsRegex("nightly +up +- +0 2 \\* \\* \\* Europe/Paris, grace 5m +1 +- +"
                                   "2026-03-10 02:00:00Z +2026-03-10 02:05:00Z +-\n"));
}

TEST(MonitorViewTest, FireTimesAreShownOnTheClockThereAndInUtc) {
  v1::PreviewScheduleResponse preview;
  auto& fire = *preview.add_fire_times();
  fire.set_local_time("2026-03-10 03:00:00 +0100");
  fire.mutable_fire_time()->set_seconds(kTwo);
  fire.mutable_deadline_time()->set_seconds(kTwo + 300);
  EXPECT_EQ(FireTimesTable(preview).ToString(),
            "FIRES                      UTC                   DEADLINE\n"
            "2026-03-10 03:00:00 +0100  2026-03-10 02:00:00Z  2026-03-10 02:05:00Z\n");
}

}  // namespace
}  // namespace tocsin::cli
