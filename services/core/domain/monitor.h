// What is watched: the definition that people write and the state that heartbeats move.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/heartbeat.h"
#include "services/core/domain/incident.h"
#include "services/core/domain/keys.h"
#include "services/core/domain/run.h"
#include "services/core/domain/schedule.h"

namespace tocsin::core {

// The numbers are stored: never change one.
enum class State : int16_t { kNew = 1, kUp = 2, kDown = 3, kPaused = 4 };
enum class Severity : int16_t { kCritical = 1, kError = 2, kWarning = 3, kInfo = 4 };

using Labels = std::map<std::string, std::string>;

// Written by people, through MonitorAdmin only.
struct MonitorDefinition {
  MonitorKey key = 0;
  ProjectKey project = 0;
  std::string project_id;  // "default"
  std::string id;          // 1 to 63 of [a-z0-9-]
  std::string display_name;
  std::string description;
  std::string owner;
  Severity severity = Severity::kError;
  std::string runbook_url;
  Labels labels;
  Schedule schedule;
  int32_t failure_threshold = 1;
  int32_t recovery_threshold = 1;
  // An up whose value lies outside is a failure; nullopt: no bound.
  std::optional<double> value_min;
  std::optional<double> value_max;
  // How long a run may take; zero: as long as it likes.
  absl::Duration max_run_duration;
  // While DOWN people are reminded so often; zero: never.
  absl::Duration reminder_interval;
  bool arm_on_create = false;
  bool resume_on_heartbeat = false;
  std::vector<std::string> channels;  // ids of channels named by the monitor, same project
  // Drawn anew by reconfigure, pause, resume, rotate, delete and undelete; never by heartbeats.
  // What a cache resolved under another version is void.
  int64_t version = 0;
  absl::Time created_at;
  absl::Time updated_at;
  std::optional<absl::Time> deleted_at;

  friend bool operator==(const MonitorDefinition&, const MonitorDefinition&) = default;
};

inline bool HasValueBounds(const MonitorDefinition& definition) {
  return definition.value_min.has_value() || definition.value_max.has_value();
}

// Moved by the transition function only.
struct MonitorState {
  State state = State::kNew;
  // When `state` last became what it is; at first, when the monitor was created. Never goes back.
  absl::Time changed_at = absl::UnixEpoch();
  // The newest up or down; InfinitePast when there was none.
  absl::Time last_at = absl::InfinitePast();
  HeartbeatKind last_kind = HeartbeatKind::kUp;
  Source last_source = Source::kUnknown;
  // From when the deadline counts when that is later than the last heartbeat: creation (with
  // arm_on_create) or resumption; InfinitePast when neither. While PAUSED: since when, so that a
  // heartbeat received before the pause but committed after it does not resume.
  absl::Time armed_at = absl::InfinitePast();
  // No deadline is earlier than this: one full timeout after a change of schedule. With cron: what
  // fires at or before it is not expected.
  absl::Time floor_at = absl::InfinitePast();
  // What satisfied the schedule last, if that was not the newest heartbeat when it came: the start
  // of the run that it ended, or of one with a limit that is open. InfinitePast: it was.
  absl::Time credit_at = absl::InfinitePast();
  // The last fire time that was excused. It says something only while it is after last_at.
  absl::Time excused_at = absl::InfinitePast();
  int32_t failures = 0;   // in a row, reported or missed, since the last success
  int32_t successes = 0;  // in a row, while DOWN
  int32_t misses = 0;     // deadlines passed since the last heartbeat
  Runs runs;              // open ones, and those that overran and may still end
  // When it went DOWN or came back, oldest first: what flapping is judged by. Some are left out
  // that are older than that needs.
  std::vector<absl::Time> transitions;
  // Since when it flaps; says something only until it is steady (see flapping.h).
  std::optional<absl::Time> flapping_since;
  // The incident that closed while it flapped, whose RESOLVED is told when it is steady.
  std::optional<IncidentKey> untold_end;
  int64_t sequence = 0;              // of the newest alert event
  std::optional<Incident> incident;  // present exactly when state is DOWN
};

// One monitor as the store keeps it.
struct Monitor {
  MonitorDefinition definition;
  MonitorState state;
};

}  // namespace tocsin::core
