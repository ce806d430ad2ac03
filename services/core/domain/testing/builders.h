// Monitors, heartbeats and gaps for tests, in one line each.
#pragma once

#include <cstdlib>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/heartbeat.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/time_zone.h"

namespace tocsin::core::testing {

// 2026-01-05 12:00:00 UTC: second 0 of tests that count seconds.
inline absl::Time Second(double seconds) {
  return absl::FromUnixSeconds(1767614400) + absl::Seconds(seconds);
}

// Timeout 60 s, recommended interval 60 s, no grace; created at second 0.
inline MonitorDefinition MinuteMonitor() {
  MonitorDefinition definition;
  definition.key = 7;
  definition.project = 1;
  definition.project_id = "default";
  definition.id = "nightly-backup";
  definition.display_name = "nightly-backup";
  definition.schedule = {.timeout = absl::Seconds(60),
                         .recommended_interval = absl::Seconds(60),
                         .grace = absl::ZeroDuration()};
  definition.version = 1;
  definition.created_at = Second(0);
  definition.updated_at = Second(0);
  return definition;
}

// "2026-03-29 02:30:00" on the wall of that zone; of a time that happens twice the first.
inline absl::Time Wall(const std::string& text, const std::string& zone = "UTC") {
  absl::Time at;
  std::string error;
  if (!absl::ParseTime("%Y-%m-%d %H:%M:%E*S", text, *FindTimeZone(zone), &at, &error)) std::abort();
  return at;
}

// A cron schedule with the default early tolerance.
inline Schedule CronSchedule(const std::string& expression, absl::Duration grace,
                             const std::string& zone = "UTC") {
  Schedule schedule;
  schedule.grace = grace;
  schedule.cron =
      CronRule{.expression = *CronExpression::Parse(expression), .zone = *FindTimeZone(zone)};
  return schedule;
}

inline Heartbeat Beat(HeartbeatKind kind, absl::Time at, std::string message = "",
                      Source source = Source::kHttp) {
  Heartbeat heartbeat;
  heartbeat.kind = kind;
  heartbeat.at = at;
  heartbeat.message = std::move(message);
  heartbeat.source = source;
  return heartbeat;
}

inline Heartbeat UpAt(absl::Time at) { return Beat(HeartbeatKind::kUp, at); }
inline Heartbeat DownAt(absl::Time at, std::string message = "disk full") {
  return Beat(HeartbeatKind::kDown, at, std::move(message));
}

// UP, with its newest heartbeat (an up over HTTP) at `at`.
inline MonitorState UpSince(absl::Time at) {
  MonitorState state;
  state.state = State::kUp;
  state.last_at = at;
  state.last_source = Source::kHttp;
  return state;
}

inline Gap CoreGap(absl::Time start, absl::Time end) {
  return Gap{.kind = GapKind::kCore, .start = start, .end = end};
}

}  // namespace tocsin::core::testing
