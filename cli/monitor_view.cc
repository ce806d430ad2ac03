// What people see of monitors.
#include "cli/monitor_view.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/values.h"
#include "common/number.h"

namespace tocsin::cli {
namespace {

std::string State(const v1::Monitor& monitor) {
  return absl::StrCat(ShowEnum(v1::Monitor::State_Name(monitor.state()), "STATE_"),
                      monitor.flapping() ? " (flapping)" : "",
                      monitor.has_mute_expire_time() ? " (muted)" : "",
                      monitor.unverified() ? " (unverified)" : "");
}

std::string Condition(const v1::Monitor& monitor) {
  return ShowEnum(v1::Monitor::Condition_Name(monitor.condition()), "CONDITION_");
}

Tone ToneOf(v1::Monitor::State state) {
  switch (state) {
    case v1::Monitor::STATE_DOWN:
      return Tone::kBad;
    case v1::Monitor::STATE_UP:
      return Tone::kGood;
    case v1::Monitor::STATE_PAUSED:
      return Tone::kQuiet;
    default:
      return Tone::kPlain;
  }
}

Tone ToneOf(v1::Monitor::Condition condition) {
  switch (condition) {
    case v1::Monitor::CONDITION_DOWN:
    case v1::Monitor::CONDITION_NEVER_REPORTED:
      return Tone::kBad;
    case v1::Monitor::CONDITION_LATE:
      return Tone::kWarning;
    case v1::Monitor::CONDITION_UP:
      return Tone::kGood;
    case v1::Monitor::CONDITION_PAUSED:
      return Tone::kQuiet;
    default:
      return Tone::kPlain;
  }
}

// "42 since 2026-03-10 02:00:00Z, due 2026-03-10 04:00:00Z"; the unnamed run has no id.
std::string RunWords(const v1::Run& run) {
  return absl::StrCat(run.id(), run.id().empty() ? "" : " ", "since ", Show(run.start_time()),
                      run.has_due_time() ? absl::StrCat(", due ", Show(run.due_time())) : "");
}

// Where it is not the usual one.
std::string ThresholdWords(int threshold, const char* of) {
  return threshold > 1 ? absl::StrCat("after ", threshold, " ", of, " in a row") : "";
}

}  // namespace

std::string LabelWords(const v1::Monitor& monitor) {
  std::vector<std::string> labels;
  for (const auto& [key, value] : monitor.labels()) labels.push_back(absl::StrCat(key, "=", value));
  std::sort(labels.begin(), labels.end());
  return absl::StrJoin(labels, ",");
}

std::string BoundWords(const v1::Monitor& monitor) {
  if (monitor.has_value_min() && monitor.has_value_max()) {
    return absl::StrCat("from ", NumberText(monitor.value_min()), " to ",
                        NumberText(monitor.value_max()));
  }
  if (monitor.has_value_min()) return absl::StrCat("at least ", NumberText(monitor.value_min()));
  return monitor.has_value_max() ? absl::StrCat("at most ", NumberText(monitor.value_max())) : "";
}

std::string ScheduleWords(const v1::CronSchedule& cron) {
  return absl::StrCat(cron.expression(), " ", cron.time_zone(), ", grace ", Show(cron.grace()));
}

std::string ScheduleWords(const v1::Schedule& schedule) {
  if (schedule.has_cron()) return ScheduleWords(schedule.cron());
  const v1::HeartbeatSchedule& heartbeat = schedule.heartbeat();
  return absl::StrCat("every ", Show(heartbeat.timeout()), ", grace ", Show(heartbeat.grace()));
}

Table MonitorTable(const v1::Monitor& monitor) {
  Table table;
  const auto row = [&table](const char* name, std::string value) {
    if (!value.empty()) table.AddRow({name, std::move(value)});
  };
  std::vector<std::string> channels;
  for (const std::string& name : monitor.channels()) channels.push_back(IdOf(name));
  row("Monitor", IdOf(monitor.name()));
  row("Display name", monitor.display_name());
  row("Description", monitor.description());
  row("State", State(monitor));
  row("Condition", Condition(monitor));
  row("Expected", Show(monitor.expect_time()));
  row("Deadline", Show(monitor.deadline_time()));
  for (const v1::Run& run : monitor.runs()) row("Running", RunWords(run));
  row("Last heartbeat", Show(monitor.last_heartbeat().receive_time()));
  row("Last message", monitor.last_heartbeat().message());
  row("Open incident", IdOf(monitor.open_incident()));
  row("Schedule", ScheduleWords(monitor.schedule()));
  const v1::Schedule& schedule = monitor.schedule();
  if (schedule.heartbeat().has_recommended_interval()) {
    row("Recommended interval", Show(schedule.heartbeat().recommended_interval()));
  }
  if (schedule.cron().has_early_tolerance()) {
    row("Early tolerance", Show(schedule.cron().early_tolerance()));
  }
  if (monitor.has_max_run_duration()) row("Longest run", Show(monitor.max_run_duration()));
  row("Down", ThresholdWords(monitor.failure_threshold(), "failures"));
  row("Up again", ThresholdWords(monitor.recovery_threshold(), "successes"));
  row("Values", BoundWords(monitor));
  if (monitor.has_reminder_interval()) {
    row("Reminders", absl::StrCat("every ", Show(monitor.reminder_interval())));
  }
  row("Severity", ShowEnum(v1::Monitor::Severity_Name(monitor.severity()), "SEVERITY_"));
  row("Owner", monitor.owner());
  row("Runbook", monitor.runbook_url());
  row("Labels", LabelWords(monitor));
  row("Channels", absl::StrJoin(channels, ","));
  row("Created", Show(monitor.create_time()));
  row("Deleted", Show(monitor.delete_time()));
  return table;
}

Table MonitorsTable(const v1::ListMonitorsResponse& monitors, bool wide) {
  std::vector<std::string> header = {"ID",       "STATE",    "CONDITION",
                                     "SCHEDULE", "RUNS",     "LAST HEARTBEAT",
                                     "EXPECTED", "DEADLINE", "OWNER"};
  if (wide) {
    header.insert(header.end(), {"SEVERITY", "LABELS", "LAST MESSAGE", "DISPLAY NAME"});
  }
  Table table(std::move(header));
  for (const v1::Monitor& m : monitors.monitors()) {
    std::vector<std::string> row = {IdOf(m.name()),
                                    m.has_delete_time() ? "deleted" : State(m),
                                    Condition(m),
                                    ScheduleWords(m.schedule()),
                                    m.runs().empty() ? "" : absl::StrCat(m.runs_size()),
                                    Show(m.last_heartbeat().receive_time()),
                                    Show(m.expect_time()),
                                    Show(m.deadline_time()),
                                    m.owner()};
    if (wide) {
      row.insert(row.end(), {ShowEnum(v1::Monitor::Severity_Name(m.severity()), "SEVERITY_"),
                             LabelWords(m), m.last_heartbeat().message(), m.display_name()});
    }
    table.AddRow(std::move(row));
    table.Tint(1, ToneOf(m.state()));
    table.Tint(2, ToneOf(m.condition()));
  }
  return table;
}

Table FireTimesTable(const v1::PreviewScheduleResponse& preview) {
  Table table({"FIRES", "UTC", "DEADLINE"});
  for (const auto& fire : preview.fire_times()) {
    table.AddRow({fire.local_time(), Show(fire.fire_time()), Show(fire.deadline_time())});
  }
  return table;
}

}  // namespace tocsin::cli
