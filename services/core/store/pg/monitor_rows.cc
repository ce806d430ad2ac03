// Rows of monitors: definition, state and open incident.
#include "services/core/store/pg/monitor_rows.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "services/core/domain/time_zone.h"
#include "services/core/domain/validate.h"

namespace tocsin::core::pg {

std::string LabelsToJson(const Labels& labels) {
  return nlohmann::json(labels).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Labels LabelsFromJson(const std::string& json) {
  Labels labels;
  const nlohmann::json object = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return labels;
  for (const auto& [key, value] : object.items()) {
    if (value.is_string()) labels[key] = value.get<std::string>();
  }
  return labels;
}

std::optional<CronRule> CronFromText(const std::string& expression, const std::string& zone,
                                     std::optional<absl::Duration> early_tolerance) {
  absl::StatusOr<CronExpression> parsed = CronExpression::Parse(expression);
  if (!parsed.ok()) {
    LogError("stored_cron_is_unreadable", {{"expression", expression}, {"error", parsed.status()}});
    return std::nullopt;
  }
  const absl::StatusOr<absl::TimeZone> found = FindTimeZone(zone);
  if (!found.ok()) LogError("time_zone_is_gone", {{"time_zone", zone}});
  return CronRule{.expression = *std::move(parsed),
                  .zone = found.ok() ? NamedZone(*found) : NamedZone::Unknown(zone),
                  .early_tolerance = early_tolerance};
}

std::string RunsToText(const Runs& runs) {
  nlohmann::json array = nlohmann::json::array();
  for (const Run& run : runs) {
    array.push_back({run.id, absl::ToUnixMicros(run.started_at),
                     run.has_limit() ? absl::ToUnixMicros(run.due_at) : 0, run.overran});
  }
  return runs.empty() ? "" : array.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Runs RunsFromText(const std::string& text) {
  Runs runs;
  const nlohmann::json array = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!array.is_array()) return runs;
  for (const nlohmann::json& item : array) {
    if (!item.is_array() || item.size() != 4 || !item[0].is_string() || !item[1].is_number() ||
        !item[2].is_number() || !item[3].is_boolean()) {
      continue;
    }
    Run& run = runs.emplace_back();
    run.id = item[0].get<std::string>();
    run.started_at = absl::FromUnixMicros(item[1].get<int64_t>());
    const int64_t due = item[2].get<int64_t>();
    if (due != 0) run.due_at = absl::FromUnixMicros(due);
    run.overran = item[3].get<bool>();
  }
  return runs;
}

std::string TimesToText(const std::vector<absl::Time>& times) {
  return absl::StrJoin(times, ",", [](std::string* out, absl::Time time) {
    absl::StrAppend(out, absl::ToUnixMicros(time));
  });
}

std::vector<absl::Time> TimesFromText(const std::string& text) {
  std::vector<absl::Time> times;
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    int64_t micros = 0;
    if (absl::SimpleAtoi(part, &micros)) times.push_back(absl::FromUnixMicros(micros));
  }
  return times;
}

MonitorDefinition ReadDefinition(Row& row) {
  MonitorDefinition definition;
  definition.key = row.Int();
  definition.project = row.Int();
  definition.project_id = row.Text();
  definition.id = row.Text();
  definition.display_name = row.Text();
  definition.description = row.Text();
  definition.owner = row.Text();
  definition.severity = row.As<Severity>();
  definition.runbook_url = row.Text();
  definition.labels = LabelsFromJson(row.Text());
  definition.schedule.timeout = absl::Microseconds(row.Int());
  definition.schedule.recommended_interval = absl::Microseconds(row.Int());
  definition.schedule.grace = absl::Microseconds(row.Int());
  definition.failure_threshold = row.Int32();
  definition.recovery_threshold = row.Int32();
  definition.arm_on_create = row.Bool();
  definition.resume_on_heartbeat = row.Bool();
  definition.channels = absl::StrSplit(row.Text(), ',', absl::SkipEmpty());
  definition.version = row.Int();
  definition.created_at = row.Time();
  definition.updated_at = row.Time();
  definition.deleted_at = row.MaybeTime();
  const std::string cron = row.Text();
  const std::string zone = row.Text();
  const std::optional<int64_t> early = row.MaybeInt();
  if (!cron.empty()) {
    Schedule& schedule = definition.schedule;
    schedule.cron = CronFromText(
        cron, zone,
        early ? std::optional<absl::Duration>(absl::Microseconds(*early)) : std::nullopt);
    if (schedule.cron.has_value()) {
      schedule.timeout = schedule.recommended_interval = absl::ZeroDuration();
    }
  }
  definition.value_min = row.MaybeDouble();
  definition.value_max = row.MaybeDouble();
  definition.max_run_duration = absl::Microseconds(row.Int());
  definition.reminder_interval = absl::Microseconds(row.Int());
  return definition;
}

Monitor ReadMonitor(Row& row) {
  Monitor monitor;
  monitor.definition = ReadDefinition(row);
  MonitorState& state = monitor.state;
  state.state = row.As<State>();
  state.changed_at = row.Time();
  state.last_at = row.TimeOr(absl::InfinitePast());
  state.last_kind = row.As<HeartbeatKind>();
  state.last_source = row.As<Source>();
  state.armed_at = row.TimeOr(absl::InfinitePast());
  state.floor_at = row.TimeOr(absl::InfinitePast());
  state.failures = row.Int32();
  state.successes = row.Int32();
  state.misses = row.Int32();
  state.runs = RunsFromText(row.Text());
  state.credit_at = row.TimeOr(absl::InfinitePast());
  state.excused_at = row.TimeOr(absl::InfinitePast());
  state.transitions = TimesFromText(row.Text());
  state.flapping_since = row.MaybeTime();
  state.untold_end = row.MaybeInt();
  state.sequence = row.Int();
  if (row.NextIsNull()) {
    row.Skip(7);  // the columns of the incident
    return monitor;
  }
  Incident& incident = state.incident.emplace();
  incident.key = row.Int();
  incident.project = monitor.definition.project;
  incident.monitor = monitor.definition.key;
  incident.cause = row.As<Cause>();
  incident.opened_at = row.Time();
  incident.detected_at = row.Time();
  incident.message = row.Text();
  incident.reminded_at = row.MaybeTime();
  incident.held_until = row.MaybeTime();
  return monitor;
}

absl::StatusOr<std::vector<std::optional<TokenMatch>>> ReadTokenMatches(Rows& rows, size_t count) {
  std::vector<std::optional<TokenMatch>> matches(count);
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    const int64_t number = row.Int();
    TokenMatch match;
    match.monitor = row.Int();
    match.version = row.Int();
    match.expires_at = row.Time();
    match.project_id = row.Text();
    match.monitor_id = row.Text();
    match.has_value_bounds = row.Bool();
    matches[number - 1] = std::move(match);
  }
  RETURN_IF_ERROR(rows.status());
  return matches;
}

std::string HashBytes(const TokenHash& hash) { return std::string(hash.begin(), hash.end()); }

void AddDefinition(const MonitorDefinition& definition, Params& params) {
  const Schedule& schedule = definition.schedule;
  const auto& cron = schedule.cron;
  // A core of a release before cron reads the timeout: it finds the job late, but raises no false
  // alarm.
  params.Int(definition.project)
      .Text(definition.id)
      .Text(definition.display_name)
      .Text(definition.description)
      .Text(definition.owner)
      .Int(static_cast<int>(definition.severity))
      .Text(definition.runbook_url)
      .Text(LabelsToJson(definition.labels))
      .Int(absl::ToInt64Microseconds(cron ? kMaxTimeout : schedule.timeout))
      .Int(absl::ToInt64Microseconds(cron ? kMaxTimeout : schedule.recommended_interval))
      .Int(absl::ToInt64Microseconds(schedule.grace))
      .Int(definition.failure_threshold)
      .Int(definition.recovery_threshold)
      .Bool(definition.arm_on_create)
      .Bool(definition.resume_on_heartbeat)
      .Text(absl::StrJoin(definition.channels, ","))
      .Time(definition.created_at)
      .Time(definition.updated_at)
      .TimeOrNull(definition.deleted_at)
      .Text(cron ? cron->expression.text() : "")
      .Text(cron ? cron->zone.name() : "")
      .IntOrNull(cron && cron->early_tolerance
                     ? std::optional<int64_t>(absl::ToInt64Microseconds(*cron->early_tolerance))
                     : std::nullopt)
      .DoubleOrNull(definition.value_min)
      .DoubleOrNull(definition.value_max)
      .Int(absl::ToInt64Microseconds(definition.max_run_duration))
      .Int(absl::ToInt64Microseconds(definition.reminder_interval));
}

}  // namespace tocsin::core::pg
