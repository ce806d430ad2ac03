// What a monitor was like at a time that is over, from what is kept of it.
#include "services/core/domain/past_state.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/core/domain/time_zone.h"

namespace tocsin::core {
namespace {

constexpr char kPausedText[] = "STATE_PAUSED";

// "90s", as the audit log writes durations; zero when it is none.
absl::Duration SpanOf(const std::string& text) {
  double seconds = 0;
  if (!absl::SimpleAtod(absl::StripSuffix(text, "s"), &seconds)) return absl::ZeroDuration();
  return absl::Seconds(seconds);
}

std::optional<double> NumberOf(const std::string& text) {
  double number = 0;
  if (!absl::SimpleAtod(text, &number)) return std::nullopt;
  return number;
}

int32_t CountOf(const std::string& text, int32_t otherwise) {
  int32_t count = 0;
  return absl::SimpleAtoi(text, &count) ? count : otherwise;
}

void TakeBackCron(Schedule& schedule, const std::string& part, const std::string& before) {
  if (part == "expression") {
    const absl::StatusOr<CronExpression> expression = CronExpression::Parse(before);
    if (!expression.ok()) {
      schedule.cron.reset();
    } else if (schedule.cron.has_value()) {
      schedule.cron->expression = *expression;
    } else {
      schedule.cron = CronRule{.expression = *expression, .zone = absl::UTCTimeZone()};
    }
    return;
  }
  if (part == "grace" && SpanOf(before) > absl::ZeroDuration()) schedule.grace = SpanOf(before);
  if (!schedule.cron.has_value()) return;
  if (part == "time_zone") {
    schedule.cron->zone = FindTimeZone(before).value_or(schedule.cron->zone);
  } else if (part == "early_tolerance") {
    schedule.cron->early_tolerance = before.empty() ? std::nullopt : std::optional(SpanOf(before));
  }
}

void TakeBack(MonitorDefinition& definition, const FieldChange& change) {
  const auto& [field, before, after] = change;
  Schedule& schedule = definition.schedule;
  if (field == "schedule.heartbeat.timeout") {
    schedule.timeout = SpanOf(before);
    if (schedule.timeout > absl::ZeroDuration()) schedule.cron.reset();
  } else if (field == "schedule.heartbeat.recommended_interval") {
    schedule.recommended_interval = SpanOf(before);
  } else if (field == "schedule.heartbeat.grace") {
    schedule.grace = SpanOf(before);
  } else if (field.rfind("schedule.cron.", 0) == 0) {
    TakeBackCron(schedule, field.substr(sizeof("schedule.cron.") - 1), before);
  } else if (field == "failure_threshold") {
    definition.failure_threshold = CountOf(before, definition.failure_threshold);
  } else if (field == "recovery_threshold") {
    definition.recovery_threshold = CountOf(before, definition.recovery_threshold);
  } else if (field == "value_min") {
    definition.value_min = NumberOf(before);
  } else if (field == "value_max") {
    definition.value_max = NumberOf(before);
  } else if (field == "max_run_duration") {
    definition.max_run_duration = SpanOf(before);
  } else if (field == "arm_on_create") {
    definition.arm_on_create = before == "true";
  } else if (field == "delete_time") {
    absl::Time at;
    const bool was = absl::ParseTime(absl::RFC3339_full, before, &at, nullptr);
    definition.deleted_at = was ? std::optional(at) : std::nullopt;
  } else if (field == "channels") {
    definition.channels.clear();
    for (const absl::string_view name : absl::StrSplit(before, ", ", absl::SkipEmpty())) {
      const size_t slash = name.rfind('/');
      definition.channels.emplace_back(slash == absl::string_view::npos ? name
                                                                        : name.substr(slash + 1));
    }
  }
}

const FieldChange* FindChange(const AuditRecord& record, const std::string& field) {
  for (const FieldChange& change : record.changes) {
    if (change.field == field) return &change;
  }
  return nullptr;
}

// A longer grace of the same fire times. As FieldChanges::Span words it.
bool IsLongerGrace(const FieldChange& change) {
  absl::Duration before;
  absl::Duration after;
  return change.field == "schedule.cron.grace" && absl::ParseDuration(change.before, &before) &&
         absl::ParseDuration(change.after, &after) && after > before;
}

// Whether it set a floor (see KeptFire).
bool ChangesSchedule(const AuditRecord& record) {
  return std::any_of(record.changes.begin(), record.changes.end(), [](const FieldChange& change) {
    return change.field.rfind("schedule.", 0) == 0 && !IsLongerGrace(change);
  });
}

bool IsEnd(const KnownHeartbeat& known) {
  const HeartbeatKind kind = known.heartbeat.kind;
  return (kind == HeartbeatKind::kUp || kind == HeartbeatKind::kDown) &&
         known.reason != Reason::kStale && known.reason != Reason::kStoredPaused &&
         known.reason != Reason::kRunEnded;
}

// Whether people's changes, and then heartbeats, left it paused; and since when it is as it is.
bool WasPaused(const MonitorState& present, const ChangesAround& changes,
               const std::vector<KnownHeartbeat>& heartbeats, absl::Time& since) {
  bool paused = present.state == State::kPaused;
  bool known = false;
  for (const AuditRecord& record : changes.before) {
    const FieldChange* change = FindChange(record, "state");
    if (change == nullptr && !IsDeletion(record)) continue;
    known = true;
    paused = change == nullptr || change->after == kPausedText;
    since = record.at;
    break;
  }
  // Else what the next change found says it: the last of those that are later.
  for (const AuditRecord& record : changes.later) {
    if (known) break;
    const FieldChange* change = FindChange(record, "state");
    if (change != nullptr) {
      paused = change->before == kPausedText;
    } else if (IsDeletion(record)) {
      paused = false;  // it does not say what it found; more are watched than paused
    }
  }
  for (const KnownHeartbeat& heard : heartbeats) {
    if (heard.reason != Reason::kResumed) continue;
    if (heard.heartbeat.at < since) break;
    since = heard.heartbeat.at;
    return false;
  }
  return paused;
}

// Failures in a row that had not made an incident, and what the deadlines among them left behind.
void AddFailures(const MonitorDefinition& definition, const std::vector<KnownHeartbeat>& heartbeats,
                 const std::vector<PassedDeadline>& passed, MonitorState& state) {
  for (const KnownHeartbeat& known : heartbeats) {
    if (!IsEnd(known)) continue;
    if (known.reason != Reason::kCounted) break;
    ++state.failures;
  }
  for (const PassedDeadline& each : passed) {  // newest first
    if (each.at <= state.last_at) break;
    if (each.reason == Reason::kExcused) {
      state.excused_at = std::max(state.excused_at, each.expected_at);
    }
    if (each.reason != Reason::kCounted) continue;
    state.failures = std::max(state.failures, each.failures);
    if (each.run_id.empty()) ++state.misses;
    const bool moved = each.at > each.plain || !each.run_id.empty();
    // One timeout lies between two misses, see RearmAfterMiss.
    if (moved && !definition.schedule.cron.has_value()) {
      state.floor_at = std::max(state.floor_at, each.at + definition.schedule.timeout);
    }
  }
}

// Runs that had begun since the last end.
void AddRuns(const MonitorDefinition& definition, const std::vector<KnownHeartbeat>& heartbeats,
             absl::Time at, MonitorState& state) {
  std::set<std::string> ended;
  for (const KnownHeartbeat& known : heartbeats) {  // newest first
    const Heartbeat& heartbeat = known.heartbeat;
    if (IsEnd(known) || known.reason == Reason::kRunEnded) ended.insert(heartbeat.run_id);
    if (known.reason != Reason::kRunStarted || !ended.insert(heartbeat.run_id).second) continue;
    Run run = {.id = heartbeat.run_id, .started_at = heartbeat.at};
    if (definition.max_run_duration > absl::ZeroDuration()) {
      run.due_at = heartbeat.at + definition.max_run_duration;
      if (heartbeat.at > state.last_at) state.credit_at = std::max(state.credit_at, heartbeat.at);
    }
    if (IsRemembered(run, at) && state.runs.size() < kMaxRuns) {
      state.runs.insert(state.runs.begin(), std::move(run));
    }
  }
}

}  // namespace

bool IsDeletion(const AuditRecord& record) {
  const std::string& method = record.caller.method;
  constexpr std::string_view kDelete = "/DeleteMonitor";
  return method.size() >= kDelete.size() &&
         method.compare(method.size() - kDelete.size(), kDelete.size(), kDelete) == 0;
}

std::optional<KnownHeartbeat> NewestEnd(const std::vector<KnownHeartbeat>& newest_first) {
  const auto found = std::find_if(newest_first.begin(), newest_first.end(), &IsEnd);
  return found == newest_first.end() ? std::nullopt : std::optional(*found);
}

MonitorDefinition DefinitionBefore(MonitorDefinition definition,
                                   const std::vector<AuditRecord>& later) {
  for (const AuditRecord& record : later) {
    for (const FieldChange& change : record.changes) TakeBack(definition, change);
    if (IsDeletion(record)) definition.deleted_at.reset();
  }
  return definition;
}

std::optional<AuditRecord> RestedBy(const ChangesAround& changes) {
  for (const AuditRecord& record : changes.before) {
    if (IsDeletion(record)) return record;
    const FieldChange* state = FindChange(record, "state");
    if (state == nullptr) continue;
    return state->after == kPausedText ? std::optional(record) : std::nullopt;
  }
  return std::nullopt;
}

MonitorState StateAt(const MonitorDefinition& definition, const MonitorState& present,
                     const ChangesAround& changes, const std::vector<KnownHeartbeat>& heartbeats,
                     const std::vector<PassedDeadline>& passed, absl::Time at) {
  MonitorState state;
  if (const std::optional<KnownHeartbeat> newest = NewestEnd(heartbeats)) {
    state.last_at = newest->heartbeat.at;
    state.last_kind = newest->heartbeat.kind;
    state.last_source = newest->heartbeat.source;
  }
  absl::Time since = absl::InfinitePast();
  const bool paused = WasPaused(present, changes, heartbeats, since);
  state.state = paused                                  ? State::kPaused
                : state.last_at == absl::InfinitePast() ? State::kNew
                                                        : State::kUp;
  const bool armed = state.state != State::kNew || definition.arm_on_create;
  if (armed) state.armed_at = since;
  if (state.state == State::kNew && definition.arm_on_create && since == absl::InfinitePast()) {
    state.armed_at = definition.created_at;
  }
  for (const AuditRecord& record : changes.before) {
    if (record.changes.empty() || !ChangesSchedule(record)) continue;
    const bool creation = record.at <= definition.created_at;
    if (!creation) state.floor_at = record.at + definition.schedule.timeout;
    break;
  }
  if (paused) return state;
  AddFailures(definition, heartbeats, passed, state);
  AddRuns(definition, heartbeats, at, state);
  return state;
}

}  // namespace tocsin::core
