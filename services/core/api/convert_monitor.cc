// Monitors and their schedules.
#include "absl/strings/str_cat.h"
#include "services/core/api/convert.h"
#include "services/core/domain/condition.h"
#include "services/core/domain/flapping.h"
#include "services/core/domain/names.h"
#include "services/core/engine/monitor_admin.h"

namespace tocsin::core {
namespace {

v1::Monitor::Condition ToProto(Condition condition) {
  switch (condition) {
    case Condition::kNew:
      return v1::Monitor::CONDITION_NEW;
    case Condition::kNeverReported:
      return v1::Monitor::CONDITION_NEVER_REPORTED;
    case Condition::kUp:
      return v1::Monitor::CONDITION_UP;
    case Condition::kLate:
      return v1::Monitor::CONDITION_LATE;
    case Condition::kRunning:
      return v1::Monitor::CONDITION_RUNNING;
    case Condition::kDown:
      return v1::Monitor::CONDITION_DOWN;
    case Condition::kPaused:
      return v1::Monitor::CONDITION_PAUSED;
  }
  return v1::Monitor::CONDITION_UNSPECIFIED;
}

void ShowDefinition(const MonitorDefinition& definition, v1::Monitor& out) {
  out.set_name(MonitorName(definition.project_id, definition.id));
  out.set_display_name(definition.display_name);
  out.set_description(definition.description);
  out.set_owner(definition.owner);
  out.set_severity(ToProto(definition.severity));
  out.set_runbook_url(definition.runbook_url);
  out.mutable_labels()->insert(definition.labels.begin(), definition.labels.end());
  *out.mutable_schedule() = ToProto(definition.schedule);
  out.set_failure_threshold(definition.failure_threshold);
  out.set_recovery_threshold(definition.recovery_threshold);
  out.set_arm_on_create(definition.arm_on_create);
  out.set_resume_on_heartbeat(definition.resume_on_heartbeat);
  if (definition.value_min) out.set_value_min(*definition.value_min);
  if (definition.value_max) out.set_value_max(*definition.value_max);
  if (definition.max_run_duration > absl::ZeroDuration()) {
    *out.mutable_max_run_duration() = ToDuration(definition.max_run_duration);
  }
  if (definition.reminder_interval > absl::ZeroDuration()) {
    *out.mutable_reminder_interval() = ToDuration(definition.reminder_interval);
  }
  for (const std::string& channel : definition.channels) {
    out.add_channels(ChannelName(definition.project_id, channel));
  }
  *out.mutable_create_time() = ToTimestamp(definition.created_at);
  *out.mutable_update_time() = ToTimestamp(definition.updated_at);
  if (definition.deleted_at) *out.mutable_delete_time() = ToTimestamp(*definition.deleted_at);
  out.set_etag(EtagOf(definition));
}

}  // namespace

v1::Monitor::Severity ToProto(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return v1::Monitor::SEVERITY_CRITICAL;
    case Severity::kError:
      return v1::Monitor::SEVERITY_ERROR;
    case Severity::kWarning:
      return v1::Monitor::SEVERITY_WARNING;
    case Severity::kInfo:
      return v1::Monitor::SEVERITY_INFO;
  }
  return v1::Monitor::SEVERITY_UNSPECIFIED;
}

v1::Monitor::State ToProto(State state) {
  switch (state) {
    case State::kNew:
      return v1::Monitor::STATE_NEW;
    case State::kUp:
      return v1::Monitor::STATE_UP;
    case State::kDown:
      return v1::Monitor::STATE_DOWN;
    case State::kPaused:
      return v1::Monitor::STATE_PAUSED;
  }
  return v1::Monitor::STATE_UNSPECIFIED;
}

v1::Run ToProto(const Run& run) {
  v1::Run out;
  out.set_id(run.id);
  *out.mutable_start_time() = ToTimestamp(run.started_at);
  if (run.has_limit()) *out.mutable_due_time() = ToTimestamp(run.due_at);
  return out;
}

v1::Monitor ToProto(const MonitorView& view, const GapList& gaps, absl::Time now) {
  const auto& [definition, state] = view.monitor;
  v1::Monitor out;
  ShowDefinition(definition, out);
  *out.mutable_state_change_time() = ToTimestamp(state.changed_at);
  out.set_state(ToProto(state.state));
  const ConditionView seen = ConditionOf(definition, state, gaps, now);
  out.set_condition(ToProto(seen.condition));
  if (seen.deadline.at != absl::InfiniteFuture()) {
    *out.mutable_deadline_time() = ToTimestamp(seen.deadline.at);
    *out.mutable_expect_time() = ToTimestamp(seen.deadline.expected_at);
  }
  for (const Run& run : state.runs) {
    if (!run.open() || !IsRemembered(run, now)) continue;
    *out.add_runs() = ToProto(run);
  }
  out.set_flapping(SteadyAt(state, now).has_value());
  out.set_unverified(seen.unverified);
  if (view.last_heartbeat) *out.mutable_last_heartbeat() = ToProto(*view.last_heartbeat);
  if (state.incident) {
    out.set_open_incident(IncidentName(definition.project_id, state.incident->key));
  }
  return out;
}

Severity FromProto(v1::Monitor::Severity severity, std::string_view prefix, FieldFaults& faults) {
  switch (severity) {
    case v1::Monitor::SEVERITY_UNSPECIFIED:
    case v1::Monitor::SEVERITY_ERROR:
      return Severity::kError;
    case v1::Monitor::SEVERITY_CRITICAL:
      return Severity::kCritical;
    case v1::Monitor::SEVERITY_WARNING:
      return Severity::kWarning;
    case v1::Monitor::SEVERITY_INFO:
      return Severity::kInfo;
    default:
      faults.Add(std::string(prefix) + ".severity",
                 absl::StrCat(static_cast<int>(severity), " is no severity"),
                 "SEVERITY_CRITICAL, SEVERITY_ERROR, SEVERITY_WARNING or SEVERITY_INFO");
      return Severity::kError;
  }
}

std::vector<std::string> ChannelIds(const google::protobuf::RepeatedPtrField<std::string>& names,
                                    const std::string& project_id, std::string_view prefix,
                                    FieldFaults& faults) {
  const std::string field = std::string(prefix) + ".channels";
  std::vector<std::string> ids;
  for (const std::string& name : names) {
    absl::StatusOr<ResourceName> parsed = ParseChannelName(name, field);
    if (!parsed.ok()) {
      faults.Append(parsed.status(), "");
    } else if (!project_id.empty() && parsed->project != project_id) {
      faults.Add(field, absl::StrCat(name, " lies in another project"),
                 "channels of the monitor's project");
    } else {
      ids.push_back(parsed->id);
    }
  }
  return ids;
}

v1::Monitor ToProto(const MonitorDefinition& defaults) {
  v1::Monitor out;
  ShowDefinition(defaults, out);
  out.clear_name();
  out.clear_create_time();
  out.clear_update_time();
  out.clear_etag();
  return out;
}

MonitorDefinition FromProto(const v1::Monitor& monitor, const std::string& project_id,
                            const std::string& id, std::string_view prefix, FieldFaults& faults) {
  MonitorDefinition out;
  out.project_id = project_id;
  out.id = id;
  out.display_name = monitor.display_name();
  out.description = monitor.description();
  out.owner = monitor.owner();
  out.severity = FromProto(monitor.severity(), prefix, faults);
  out.runbook_url = monitor.runbook_url();
  out.labels = Labels(monitor.labels().begin(), monitor.labels().end());
  out.schedule = FromProto(monitor.schedule(), prefix, faults);
  if (monitor.has_value_min()) out.value_min = monitor.value_min();
  if (monitor.has_value_max()) out.value_max = monitor.value_max();
  out.max_run_duration = FromDuration(monitor.max_run_duration());
  out.reminder_interval = FromDuration(monitor.reminder_interval());
  out.failure_threshold = monitor.failure_threshold();
  out.recovery_threshold = monitor.recovery_threshold();
  out.arm_on_create = monitor.arm_on_create();
  out.resume_on_heartbeat = monitor.resume_on_heartbeat();
  out.channels = ChannelIds(monitor.channels(), project_id, prefix, faults);
  return out;
}

}  // namespace tocsin::core
