// Alert events as Protobuf, field by field.
#include "services/core/store/pg/event_facts.h"

#include <google/protobuf/arena.h>

#include <optional>

#include "services/core/domain/text.h"
#include "services/core/store/pg/monitor_rows.h"
#include "tocsin/stored/v1/event_facts.pb.h"

namespace tocsin::core::pg {
namespace {

std::optional<absl::Time> MaybeTime(bool present, int64_t micros) {
  if (!present) return std::nullopt;
  return absl::FromUnixMicros(micros);
}

std::string Tail(const std::string& bytes, size_t most) {
  return bytes.size() <= most ? bytes : bytes.substr(bytes.size() - most);
}

void Write(const Incident& incident, stored::v1::Incident& out) {
  out.set_id(incident.key);
  out.set_cause(static_cast<int>(incident.cause));
  out.set_opened_at(absl::ToUnixMicros(incident.opened_at));
  out.set_detected_at(absl::ToUnixMicros(incident.detected_at));
  out.set_message(incident.message);
  if (incident.closed_at) out.set_closed_at(absl::ToUnixMicros(*incident.closed_at));
  if (incident.resolution) out.set_resolution(static_cast<int>(*incident.resolution));
}

Incident Read(const stored::v1::Incident& in, const AlertEvent& event) {
  Incident incident;
  incident.key = in.id();
  incident.project = event.project;
  incident.monitor = event.monitor;
  incident.cause = static_cast<Cause>(in.cause());
  incident.opened_at = absl::FromUnixMicros(in.opened_at());
  incident.detected_at = absl::FromUnixMicros(in.detected_at());
  incident.message = in.message();
  incident.closed_at = MaybeTime(in.has_closed_at(), in.closed_at());
  if (in.has_resolution()) incident.resolution = static_cast<Resolution>(in.resolution());
  return incident;
}

void Write(const CronRule& rule, stored::v1::Cron& out) {
  out.set_expression(rule.expression.text());
  out.set_time_zone(rule.zone.name());
  if (rule.early_tolerance) {
    out.set_early_tolerance_us(absl::ToInt64Microseconds(*rule.early_tolerance));
  }
}

std::optional<CronRule> Read(const stored::v1::Cron& in) {
  std::optional<absl::Duration> early;
  if (in.has_early_tolerance_us()) early = absl::Microseconds(in.early_tolerance_us());
  return CronFromText(in.expression(), in.time_zone(), early);
}

void Write(const MonitorDefinition& definition, stored::v1::Monitor& out) {
  out.set_project(definition.project_id);
  out.set_id(definition.id);
  out.set_display_name(definition.display_name);
  out.set_description(definition.description);
  out.set_owner(definition.owner);
  out.set_severity(static_cast<int>(definition.severity));
  out.set_runbook_url(definition.runbook_url);
  for (const auto& [key, value] : definition.labels) (*out.mutable_labels())[key] = value;
  const Schedule& schedule = definition.schedule;
  out.set_timeout_us(absl::ToInt64Microseconds(schedule.timeout));
  out.set_recommended_interval_us(absl::ToInt64Microseconds(schedule.recommended_interval));
  out.set_grace_us(absl::ToInt64Microseconds(schedule.grace));
  if (schedule.cron) Write(*schedule.cron, *out.mutable_cron());
  if (definition.value_min) out.set_value_min(*definition.value_min);
  if (definition.value_max) out.set_value_max(*definition.value_max);
  out.set_max_run_us(absl::ToInt64Microseconds(definition.max_run_duration));
  out.set_reminder_us(absl::ToInt64Microseconds(definition.reminder_interval));
  out.set_failure_threshold(definition.failure_threshold);
  out.set_recovery_threshold(definition.recovery_threshold);
  out.set_arm_on_create(definition.arm_on_create);
  out.set_resume_on_heartbeat(definition.resume_on_heartbeat);
  for (const std::string& channel : definition.channels) out.add_channels(channel);
  out.set_version(definition.version);
  out.set_created_at(absl::ToUnixMicros(definition.created_at));
  out.set_updated_at(absl::ToUnixMicros(definition.updated_at));
}

MonitorDefinition Read(const stored::v1::Monitor& in, const AlertEvent& event) {
  MonitorDefinition definition;
  definition.key = event.monitor;
  definition.project = event.project;
  definition.project_id = in.project();
  definition.id = in.id();
  definition.display_name = in.display_name();
  definition.description = in.description();
  definition.owner = in.owner();
  definition.severity = static_cast<Severity>(in.severity());
  definition.runbook_url = in.runbook_url();
  definition.labels.insert(in.labels().begin(), in.labels().end());
  definition.schedule.timeout = absl::Microseconds(in.timeout_us());
  definition.schedule.recommended_interval = absl::Microseconds(in.recommended_interval_us());
  definition.schedule.grace = absl::Microseconds(in.grace_us());
  if (in.has_cron()) definition.schedule.cron = Read(in.cron());
  if (in.has_value_min()) definition.value_min = in.value_min();
  if (in.has_value_max()) definition.value_max = in.value_max();
  definition.max_run_duration = absl::Microseconds(in.max_run_us());
  definition.reminder_interval = absl::Microseconds(in.reminder_us());
  definition.failure_threshold = in.failure_threshold();
  definition.recovery_threshold = in.recovery_threshold();
  definition.arm_on_create = in.arm_on_create();
  definition.resume_on_heartbeat = in.resume_on_heartbeat();
  definition.channels.assign(in.channels().begin(), in.channels().end());
  definition.version = in.version();
  definition.created_at = absl::FromUnixMicros(in.created_at());
  definition.updated_at = absl::FromUnixMicros(in.updated_at());
  return definition;
}

void Write(const Heartbeat& heartbeat, stored::v1::Heartbeat& out) {
  out.set_kind(static_cast<int>(heartbeat.kind));
  out.set_at(absl::ToUnixMicros(heartbeat.at));
  out.set_message(heartbeat.message);
  out.set_run_id(heartbeat.run_id);
  out.set_source(static_cast<int>(heartbeat.source));
  out.set_push_id(heartbeat.push_id);
  if (heartbeat.value) out.set_value(*heartbeat.value);
  if (heartbeat.exit_status) out.set_exit_status(*heartbeat.exit_status);
  if (heartbeat.run_duration) {
    out.set_run_duration_us(absl::ToInt64Microseconds(*heartbeat.run_duration));
  }
  if (heartbeat.output.empty()) return;
  // The end of what it put out: people look there for what went wrong.
  out.set_output(CleanText(Tail(heartbeat.output, kSnapshotOutputBytes), kMaxOutputBytes));
}

Heartbeat Read(const stored::v1::Heartbeat& in) {
  Heartbeat heartbeat;
  heartbeat.kind = static_cast<HeartbeatKind>(in.kind());
  heartbeat.at = absl::FromUnixMicros(in.at());
  heartbeat.message = in.message();
  heartbeat.run_id = in.run_id();
  heartbeat.source = static_cast<Source>(in.source());
  heartbeat.push_id = in.push_id();
  if (in.has_value()) heartbeat.value = in.value();
  if (in.has_exit_status()) heartbeat.exit_status = in.exit_status();
  if (in.has_run_duration_us()) heartbeat.run_duration = absl::Microseconds(in.run_duration_us());
  heartbeat.output = in.output();
  return heartbeat;
}

void Write(const Run& run, stored::v1::Run& out) {
  out.set_id(run.id);
  out.set_started_at(absl::ToUnixMicros(run.started_at));
  if (run.has_limit()) out.set_due_at(absl::ToUnixMicros(run.due_at));
}

Run Read(const stored::v1::Run& in) {
  Run run = {.id = in.id(), .started_at = absl::FromUnixMicros(in.started_at()), .overran = true};
  if (in.has_due_at()) run.due_at = absl::FromUnixMicros(in.due_at());
  return run;
}

}  // namespace

std::string FactsToBytes(const AlertEvent& event) {
  google::protobuf::Arena arena;
  auto& facts = *google::protobuf::Arena::CreateMessage<stored::v1::EventFacts>(&arena);
  Write(event.incident, *facts.mutable_incident());
  Write(event.definition, *facts.mutable_monitor());
  if (event.last_heartbeat) Write(*event.last_heartbeat, *facts.mutable_last_heartbeat());
  if (event.run) Write(*event.run, *facts.mutable_run());
  facts.set_flapping(event.flapping);
  return facts.SerializeAsString();
}

absl::Status FactsFromBytes(const std::string& bytes, AlertEvent& event) {
  google::protobuf::Arena arena;
  auto& facts = *google::protobuf::Arena::CreateMessage<stored::v1::EventFacts>(&arena);
  if (!facts.ParseFromString(bytes) || !facts.has_incident() || !facts.has_monitor()) {
    return absl::DataLossError("the facts of an alert event are damaged");
  }
  event.incident = Read(facts.incident(), event);
  event.definition = Read(facts.monitor(), event);
  event.last_heartbeat.reset();
  if (facts.has_last_heartbeat()) event.last_heartbeat = Read(facts.last_heartbeat());
  event.run.reset();
  if (facts.has_run()) event.run = Read(facts.run());
  event.flapping = facts.flapping();
  return absl::OkStatus();
}

}  // namespace tocsin::core::pg
