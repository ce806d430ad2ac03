// Alert events of before, deliveries and grants as JSON, field by field.
#include "services/core/store/pg/snapshot.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "services/core/domain/text.h"
#include "services/core/store/pg/monitor_rows.h"

namespace tocsin::core::pg {
namespace {

using Json = nlohmann::json;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json TimeToJson(absl::Time time) { return absl::ToUnixMicros(time); }

// The getters give the default for what is absent or of another type.
int64_t Int(const Json& json, const char* key, int64_t otherwise = 0) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<int64_t>() : otherwise;
}

uint64_t Unsigned(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<uint64_t>() : 0;
}

bool Bool(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}

std::string Text(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

absl::Time Time(const Json& json, const char* key) { return absl::FromUnixMicros(Int(json, key)); }

std::optional<absl::Time> MaybeTime(const Json& json, const char* key) {
  if (!json.contains(key)) return std::nullopt;
  return Time(json, key);
}

std::optional<double> MaybeDouble(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::vector<std::string> Texts(const Json& json, const char* key) {
  std::vector<std::string> texts;
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) return texts;
  for (const Json& item : *found) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

// What the getters give for what is absent is left out.
void Put(Json& json, const char* key, const std::string& value) {
  if (!value.empty()) json[key] = value;
}

void Put(Json& json, const char* key, int64_t value, int64_t otherwise = 0) {
  if (value != otherwise) json[key] = value;
}

Incident IncidentFromJson(const Json& json, const AlertEvent& event) {
  Incident incident;
  incident.key = Int(json, "id");
  incident.project = event.project;
  incident.monitor = event.monitor;
  incident.cause = static_cast<Cause>(Int(json, "cause"));
  incident.opened_at = Time(json, "opened_at");
  incident.detected_at = Time(json, "detected_at");
  incident.message = Text(json, "message");
  incident.closed_at = MaybeTime(json, "closed_at");
  if (json.contains("resolution")) {
    incident.resolution = static_cast<Resolution>(Int(json, "resolution"));
  }
  return incident;
}

Json DefinitionToJson(const MonitorDefinition& definition) {
  Json json = {
      {"project", definition.project_id},
      {"id", definition.id},
      {"severity", static_cast<int>(definition.severity)},
      {"version", definition.version},
      {"created_at", TimeToJson(definition.created_at)},
      {"updated_at", TimeToJson(definition.updated_at)},
  };
  const Schedule& schedule = definition.schedule;
  Put(json, "display_name", definition.display_name);
  Put(json, "description", definition.description);
  Put(json, "owner", definition.owner);
  Put(json, "runbook_url", definition.runbook_url);
  Put(json, "timeout_us", absl::ToInt64Microseconds(schedule.timeout));
  Put(json, "recommended_interval_us", absl::ToInt64Microseconds(schedule.recommended_interval));
  Put(json, "grace_us", absl::ToInt64Microseconds(schedule.grace));
  if (schedule.cron.has_value()) {
    json["cron"] = schedule.cron->expression.text();
    json["time_zone"] = schedule.cron->zone.name();
    if (const auto& early = schedule.cron->early_tolerance) {
      json["early_tolerance_us"] = absl::ToInt64Microseconds(*early);
    }
  }
  if (definition.value_min) json["value_min"] = *definition.value_min;
  if (definition.value_max) json["value_max"] = *definition.value_max;
  Put(json, "max_run_us", absl::ToInt64Microseconds(definition.max_run_duration));
  Put(json, "reminder_us", absl::ToInt64Microseconds(definition.reminder_interval));
  Put(json, "failure_threshold", definition.failure_threshold, 1);
  Put(json, "recovery_threshold", definition.recovery_threshold, 1);
  if (definition.arm_on_create) json["arm_on_create"] = true;
  if (definition.resume_on_heartbeat) json["resume_on_heartbeat"] = true;
  if (!definition.labels.empty()) json["labels"] = definition.labels;
  if (!definition.channels.empty()) json["channels"] = definition.channels;
  return json;
}

MonitorDefinition DefinitionFromJson(const Json& json, const AlertEvent& event) {
  MonitorDefinition definition;
  definition.key = event.monitor;
  definition.project = event.project;
  definition.project_id = Text(json, "project");
  definition.id = Text(json, "id");
  definition.display_name = Text(json, "display_name");
  definition.description = Text(json, "description");
  definition.owner = Text(json, "owner");
  definition.severity = static_cast<Severity>(Int(json, "severity"));
  definition.runbook_url = Text(json, "runbook_url");
  if (const auto labels = json.find("labels"); labels != json.end() && labels->is_object()) {
    for (const auto& [key, value] : labels->items()) {
      if (value.is_string()) definition.labels[key] = value.get<std::string>();
    }
  }
  definition.schedule.timeout = absl::Microseconds(Int(json, "timeout_us"));
  definition.schedule.recommended_interval =
      absl::Microseconds(Int(json, "recommended_interval_us"));
  definition.schedule.grace = absl::Microseconds(Int(json, "grace_us"));
  if (json.contains("cron")) {
    std::optional<absl::Duration> early;
    if (json.contains("early_tolerance_us")) {
      early = absl::Microseconds(Int(json, "early_tolerance_us"));
    }
    definition.schedule.cron = CronFromText(Text(json, "cron"), Text(json, "time_zone"), early);
  }
  definition.value_min = MaybeDouble(json, "value_min");
  definition.value_max = MaybeDouble(json, "value_max");
  definition.max_run_duration = absl::Microseconds(Int(json, "max_run_us"));
  definition.reminder_interval = absl::Microseconds(Int(json, "reminder_us"));
  definition.failure_threshold = static_cast<int32_t>(Int(json, "failure_threshold", 1));
  definition.recovery_threshold = static_cast<int32_t>(Int(json, "recovery_threshold", 1));
  definition.arm_on_create = Bool(json, "arm_on_create");
  definition.resume_on_heartbeat = Bool(json, "resume_on_heartbeat");
  definition.channels = Texts(json, "channels");
  definition.version = Int(json, "version");
  definition.created_at = Time(json, "created_at");
  definition.updated_at = Time(json, "updated_at");
  return definition;
}

Heartbeat HeartbeatFromJson(const Json& json) {
  Heartbeat heartbeat;
  heartbeat.kind = static_cast<HeartbeatKind>(Int(json, "kind"));
  heartbeat.at = Time(json, "at");
  heartbeat.message = Text(json, "message");
  heartbeat.run_id = Text(json, "run_id");
  heartbeat.source = static_cast<Source>(Int(json, "source"));
  heartbeat.push_id = Unsigned(json, "push_id");
  heartbeat.value = MaybeDouble(json, "value");
  if (json.contains("exit_status")) heartbeat.exit_status = Int(json, "exit_status");
  if (json.contains("run_duration_us")) {
    heartbeat.run_duration = absl::Microseconds(Int(json, "run_duration_us"));
  }
  heartbeat.output = Text(json, "output");
  return heartbeat;
}

// What was written for a run without a limit.
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

Run RunFromJson(const Json& json) {
  Run run = {.id = Text(json, "id"), .started_at = Time(json, "started_at"), .overran = true};
  const int64_t due_at = Int(json, "due_at");
  if (due_at != kNever) run.due_at = absl::FromUnixMicros(due_at);
  return run;
}

}  // namespace

absl::Status SnapshotFromJson(const std::string& text, AlertEvent& event) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("incident") || !json.contains("monitor")) {
    return absl::DataLossError("the snapshot of an alert event is damaged");
  }
  event.incident = IncidentFromJson(json["incident"], event);
  event.definition = DefinitionFromJson(json["monitor"], event);
  event.last_heartbeat.reset();
  if (const auto last = json.find("last_heartbeat"); last != json.end()) {
    event.last_heartbeat = HeartbeatFromJson(*last);
  }
  event.run.reset();
  if (const auto run = json.find("run"); run != json.end()) event.run = RunFromJson(*run);
  event.flapping = Bool(json, "flapping");
  return absl::OkStatus();
}

std::string ExtraToJson(const Delivery& delivery) {
  Json json;
  if (delivery.blind) {
    json["blind"] = {
        {"start", TimeToJson(delivery.blind->start)},
        {"unverified_count", delivery.blind->unverified_count},
        {"unverified_monitors", delivery.blind->unverified_monitors},
    };
    if (delivery.blind->end != absl::InfiniteFuture()) {
      json["blind"]["end"] = TimeToJson(delivery.blind->end);
    }
  }
  if (delivery.notice) {
    json["notice"] = {{"channel", delivery.notice->channel}, {"reason", delivery.notice->reason}};
    if (delivery.notice->failing_since) {
      json["notice"]["failing_since"] = TimeToJson(*delivery.notice->failing_since);
    }
  }
  if (delivery.digest) {
    Json& counts = json["digest"] = Json::array();
    for (const DigestFacts::Count& count : delivery.digest->counts) {
      counts.push_back({static_cast<int>(count.type), static_cast<int>(count.cause), count.events});
    }
  }
  return json.is_null() ? "" : Dump(json);
}

absl::Status ExtraFromJson(const std::string& text, Delivery& delivery) {
  if (text.empty()) return absl::OkStatus();
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::DataLossError("what a delivery tells is damaged");
  if (const auto blind = json.find("blind"); blind != json.end()) {
    delivery.blind = BlindNotice{
        .start = Time(*blind, "start"),
        .end = blind->contains("end") ? Time(*blind, "end") : absl::InfiniteFuture(),
        .unverified_count = static_cast<int32_t>(Int(*blind, "unverified_count")),
        .unverified_monitors = Texts(*blind, "unverified_monitors"),
    };
  }
  if (const auto notice = json.find("notice"); notice != json.end()) {
    delivery.notice = ChannelNotice{
        .channel = Text(*notice, "channel"),
        .failing_since = MaybeTime(*notice, "failing_since"),
        .reason = Text(*notice, "reason"),
    };
  }
  if (const auto digest = json.find("digest"); digest != json.end()) {
    DigestFacts& facts = delivery.digest.emplace();
    for (const Json& count : *digest) {
      if (!count.is_array() || count.size() != 3) continue;
      facts.counts.push_back({.type = static_cast<EventType>(count[0].get<int>()),
                              .cause = static_cast<Cause>(count[1].get<int>()),
                              .events = count[2].get<int32_t>()});
    }
  }
  return absl::OkStatus();
}

std::string GrantToJson(const PushGrant& grant) {
  return Dump({{"may_create", grant.may_create},
               {"max_monitors", grant.max_monitors},
               {"defaults", DefinitionToJson(grant.defaults)}});
}

absl::StatusOr<PushGrant> GrantFromJson(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("defaults")) {
    return absl::DataLossError("what a push key may do is damaged");
  }
  PushGrant grant;
  grant.may_create = Bool(json, "may_create");
  grant.max_monitors = static_cast<int32_t>(Int(json, "max_monitors"));
  grant.defaults = DefinitionFromJson(json["defaults"], AlertEvent());
  return grant;
}

}  // namespace tocsin::core::pg
