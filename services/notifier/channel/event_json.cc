// What is known of events, as JSON.
#include "services/notifier/channel/event_json.h"

#include <cmath>

#include "absl/strings/string_view.h"

namespace tocsin::notifier {
namespace {

std::string Text(absl::string_view text) { return std::string(text); }

// Whole seconds as an integer, since that is what schedules mostly are.
Json Seconds(absl::Duration duration) {
  if (duration == absl::Trunc(duration, absl::Seconds(1))) return absl::ToInt64Seconds(duration);
  return absl::ToDoubleSeconds(duration);
}

std::string Word(MonitorState state) {
  switch (state) {
    case MonitorState::kNew:
      return "new";
    case MonitorState::kUp:
      return "up";
    case MonitorState::kDown:
      return "down";
    case MonitorState::kPaused:
      return "paused";
    case MonitorState::kUnknown:
      break;
  }
  return "";
}

std::string Word(Resolution resolution) {
  switch (resolution) {
    case Resolution::kRecovered:
      return "recovered";
    case Resolution::kPaused:
      return "paused";
    case Resolution::kDeleted:
      return "deleted";
    case Resolution::kLateHeartbeat:
      return "late_heartbeat";
    case Resolution::kUnknown:
      break;
  }
  return "";
}

std::string Word(HeartbeatKind kind) {
  switch (kind) {
    case HeartbeatKind::kUp:
      return "up";
    case HeartbeatKind::kDown:
      return "down";
    case HeartbeatKind::kUnknown:
      break;
  }
  return "";
}

Json MonitorJson(const MonitorFacts& monitor) {
  Json json;
  json["name"] = monitor.name;
  SetText(json, "displayName", monitor.display_name);
  SetText(json, "description", monitor.description);
  SetText(json, "owner", monitor.owner);
  SetText(json, "severity", Word(monitor.severity));
  SetText(json, "runbookUrl", monitor.runbook_url);
  json["labels"] = Json::object();
  for (const auto& [key, value] : monitor.labels) json["labels"][key] = value;
  SetText(json, "state", Word(monitor.state));
  if (monitor.value_min.has_value()) json["valueMin"] = *monitor.value_min;
  if (monitor.value_max.has_value()) json["valueMax"] = *monitor.value_max;
  if (monitor.max_run_duration > absl::ZeroDuration()) {
    json["maxRunDuration"] = Seconds(monitor.max_run_duration);
  }
  if (monitor.cron.has_value()) {
    Json& cron = json["schedule"]["cron"];
    cron["expression"] = monitor.cron->expression;
    cron["timeZone"] = monitor.cron->time_zone;
    cron["grace"] = Seconds(monitor.grace);
    if (monitor.cron->early_tolerance.has_value()) {
      cron["earlyTolerance"] = Seconds(*monitor.cron->early_tolerance);
    }
  } else if (monitor.timeout > absl::ZeroDuration()) {
    Json& heartbeat = json["schedule"]["heartbeat"];
    heartbeat["timeout"] = Seconds(monitor.timeout);
    heartbeat["recommendedInterval"] = Seconds(monitor.recommended_interval);
    heartbeat["grace"] = Seconds(monitor.grace);
  }
  return json;
}

Json IncidentJson(const IncidentFacts& incident) {
  Json json;
  json["id"] = Text(LastPart(incident.name));
  SetText(json, "cause", Word(incident.cause));
  json["openedAt"] = Timestamp(incident.opened_at);
  json["detectedAt"] = Timestamp(incident.detected_at);
  if (incident.closed_at.has_value()) {
    json["closedAt"] = Timestamp(*incident.closed_at);
    json["duration"] = Seconds(*incident.closed_at - incident.opened_at);
    SetText(json, "reason", Word(incident.resolution));
  }
  SetText(json, "message", incident.message);
  return json;
}

Json HeartbeatJson(const HeartbeatFacts& heartbeat) {
  Json json;
  json["at"] = Timestamp(heartbeat.at);
  SetText(json, "kind", Word(heartbeat.kind));
  json["message"] = heartbeat.message;
  if (heartbeat.value.has_value() && std::isfinite(*heartbeat.value)) {
    json["value"] = *heartbeat.value;
  }
  if (heartbeat.exit_status.has_value()) json["exitStatus"] = *heartbeat.exit_status;
  SetText(json, "run", heartbeat.run_id);
  if (heartbeat.run_duration.has_value()) json["runDuration"] = Seconds(*heartbeat.run_duration);
  SetText(json, "output", heartbeat.output);
  return json;
}

}  // namespace

std::string Timestamp(absl::Time time) {
  const bool whole_millis = absl::ToUnixMicros(time) % 1000 == 0;
  return absl::FormatTime(whole_millis ? "%Y-%m-%dT%H:%M:%E3SZ" : "%Y-%m-%dT%H:%M:%E6SZ", time,
                          absl::UTCTimeZone());
}

void SetText(Json& json, const char* key, const std::string& value) {
  if (!value.empty()) json[key] = value;
}

std::string Word(EventType type) {
  switch (type) {
    case EventType::kFiring:
      return Text(kIncidentOpened);
    case EventType::kResolved:
      return Text(kIncidentResolved);
    case EventType::kReminder:
      return Text(kIncidentReminder);
    case EventType::kUnknown:
      break;
  }
  return "";
}

std::string Word(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return "critical";
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kInfo:
      return "info";
    case Severity::kUnknown:
      break;
  }
  return "";
}

std::string Word(Cause cause) {
  switch (cause) {
    case Cause::kReportedDown:
      return "reported_down";
    case Cause::kMissedDeadline:
      return "missed_deadline";
    case Cause::kRunOverran:
      return "run_overran";
    case Cause::kValueOutOfRange:
      return "value_out_of_range";
    case Cause::kUnknown:
      break;
  }
  return "";
}

void AddEvent(Json& json, const EventFacts& event) {
  json["sequence"] = event.sequence;
  json["occurredAt"] = Timestamp(event.occurred_at);
  json["detectedAt"] = Timestamp(event.detected_at);
  json["monitor"] = MonitorJson(event.monitor);
  json["incident"] = IncidentJson(event.incident);
  if (event.expected_at.has_value()) json["expectedAt"] = Timestamp(*event.expected_at);
  if (event.last_heartbeat.has_value()) {
    json["lastHeartbeat"] = HeartbeatJson(*event.last_heartbeat);
  }
  if (event.run.has_value()) {
    json["run"]["id"] = event.run->id;
    json["run"]["startedAt"] = Timestamp(event.run->started_at);
  }
  if (event.flapping) json["flapping"] = true;
}

Json BlindJson(const BlindFacts& blind) {
  Json json;
  json["startedAt"] = Timestamp(blind.started_at);
  if (blind.ended_at.has_value()) {
    json["endedAt"] = Timestamp(*blind.ended_at);
    json["duration"] = Seconds(*blind.ended_at - blind.started_at);
  }
  json["unverifiedCount"] = blind.unverified_count;
  json["unverifiedMonitors"] = blind.unverified_monitors;
  return json;
}

Json ChannelJson(const ChannelNoticeFacts& notice) {
  Json json;
  json["name"] = notice.channel;
  if (notice.failing_since.has_value()) json["failingSince"] = Timestamp(*notice.failing_since);
  SetText(json, "reason", notice.reason);
  return json;
}

}  // namespace tocsin::notifier
