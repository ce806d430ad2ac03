// Rows of monitors: definition, state and open incident.
#include "services/core/store/pg/monitor_rows.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"

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
  state.open_runs = row.Int32();
  state.sequence = row.Int();
  if (row.NextIsNull()) {
    row.Skip(5);  // the columns of the incident
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
    matches[number - 1] = std::move(match);
  }
  RETURN_IF_ERROR(rows.status());
  return matches;
}

std::string HashBytes(const TokenHash& hash) { return std::string(hash.begin(), hash.end()); }

void AddDefinition(const MonitorDefinition& definition, Params& params) {
  params.Int(definition.project)
      .Text(definition.id)
      .Text(definition.display_name)
      .Text(definition.description)
      .Text(definition.owner)
      .Int(static_cast<int>(definition.severity))
      .Text(definition.runbook_url)
      .Text(LabelsToJson(definition.labels))
      .Int(absl::ToInt64Microseconds(definition.schedule.timeout))
      .Int(absl::ToInt64Microseconds(definition.schedule.recommended_interval))
      .Int(absl::ToInt64Microseconds(definition.schedule.grace))
      .Int(definition.failure_threshold)
      .Int(definition.recovery_threshold)
      .Bool(definition.arm_on_create)
      .Bool(definition.resume_on_heartbeat)
      .Text(absl::StrJoin(definition.channels, ","))
      .Time(definition.created_at)
      .Time(definition.updated_at)
      .TimeOrNull(definition.deleted_at);
}

}  // namespace tocsin::core::pg
