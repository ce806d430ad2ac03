// Incidents, alert events and own outages.
#include "services/core/api/convert.h"
#include "services/core/domain/names.h"

namespace tocsin::core {
namespace {

v1::Incident::Cause ToProto(Cause cause) {
  switch (cause) {
    case Cause::kReportedDown:
      return v1::Incident::CAUSE_REPORTED_DOWN;
    case Cause::kMissedDeadline:
      return v1::Incident::CAUSE_MISSED_DEADLINE;
    case Cause::kRunOverran:
      return v1::Incident::CAUSE_RUN_OVERRAN;
    case Cause::kValueOutOfRange:
      return v1::Incident::CAUSE_VALUE_OUT_OF_RANGE;
  }
  return v1::Incident::CAUSE_UNSPECIFIED;
}

v1::Incident::Resolution ToProto(Resolution resolution) {
  switch (resolution) {
    case Resolution::kRecovered:
      return v1::Incident::RESOLUTION_RECOVERED;
    case Resolution::kPaused:
      return v1::Incident::RESOLUTION_PAUSED;
    case Resolution::kDeleted:
      return v1::Incident::RESOLUTION_DELETED;
    case Resolution::kLateHeartbeat:
      return v1::Incident::RESOLUTION_LATE_HEARTBEAT;
  }
  return v1::Incident::RESOLUTION_UNSPECIFIED;
}

v1::AlertEvent::Type ToProto(EventType type) {
  switch (type) {
    case EventType::kFiring:
      return v1::AlertEvent::TYPE_FIRING;
    case EventType::kResolved:
      return v1::AlertEvent::TYPE_RESOLVED;
    case EventType::kReminder:
      return v1::AlertEvent::TYPE_REMINDER;
  }
  return v1::AlertEvent::TYPE_UNSPECIFIED;
}

v1::MonitorSnapshot Snapshot(const MonitorDefinition& definition, State state) {
  v1::MonitorSnapshot out;
  out.set_name(MonitorName(definition.project_id, definition.id));
  out.set_display_name(definition.display_name);
  out.set_description(definition.description);
  out.set_owner(definition.owner);
  out.set_severity(ToProto(definition.severity));
  out.set_runbook_url(definition.runbook_url);
  out.mutable_labels()->insert(definition.labels.begin(), definition.labels.end());
  out.set_state(ToProto(state));
  *out.mutable_schedule() = ToProto(definition.schedule);
  if (definition.value_min) out.set_value_min(*definition.value_min);
  if (definition.value_max) out.set_value_max(*definition.value_max);
  if (definition.max_run_duration > absl::ZeroDuration()) {
    *out.mutable_max_run_duration() = ToDuration(definition.max_run_duration);
  }
  return out;
}

}  // namespace

v1::Incident ToProto(const Incident& incident, const std::string& project_id,
                     const std::string& monitor_id) {
  v1::Incident out;
  out.set_name(IncidentName(project_id, incident.key));
  out.set_monitor(MonitorName(project_id, monitor_id));
  out.set_cause(ToProto(incident.cause));
  *out.mutable_open_time() = ToTimestamp(incident.opened_at);
  *out.mutable_detect_time() = ToTimestamp(incident.detected_at);
  if (incident.closed_at) *out.mutable_close_time() = ToTimestamp(*incident.closed_at);
  if (incident.resolution) out.set_resolution(ToProto(*incident.resolution));
  out.set_message(incident.message);
  return out;
}

v1::Incident ToProto(const IncidentView& view) {
  return ToProto(view.incident, view.project_id, view.monitor_id);
}

v1::AlertEvent ToProto(const AlertEvent& event) {
  const MonitorDefinition& definition = event.definition;
  v1::AlertEvent out;
  out.set_name(AlertEventName(definition.project_id, event.key));
  out.set_type(ToProto(event.type));
  out.set_sequence(event.sequence);
  *out.mutable_occur_time() = ToTimestamp(event.occurred_at);
  *out.mutable_detect_time() = ToTimestamp(event.detected_at);
  *out.mutable_monitor() = Snapshot(definition, event.state);
  *out.mutable_incident() = ToProto(event.incident, definition.project_id, definition.id);
  if (event.expected_at) *out.mutable_expect_time() = ToTimestamp(*event.expected_at);
  if (event.last_heartbeat) *out.mutable_last_heartbeat() = ToProto(*event.last_heartbeat);
  if (event.run) *out.mutable_run() = ToProto(*event.run);
  out.set_flapping(event.flapping);
  return out;
}

v1::BlindInterval ToProto(const BlindNotice& notice) {
  v1::BlindInterval out;
  *out.mutable_start_time() = ToTimestamp(notice.start);
  if (notice.end != absl::InfiniteFuture()) {
    *out.mutable_end_time() = ToTimestamp(notice.end);
    *out.mutable_duration() = ToDuration(notice.end - notice.start);
  }
  out.set_unverified_count(notice.unverified_count);
  for (const std::string& name : notice.unverified_monitors) out.add_unverified_monitors(name);
  return out;
}

}  // namespace tocsin::core
