// The time from a monitor's entering DOWN to its leaving it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "services/core/domain/keys.h"

namespace tocsin::core {

// The numbers are stored: never change one.
enum class Cause : int16_t {
  kReportedDown = 1,
  kMissedDeadline = 2,
  kRunOverran = 3,
  kValueOutOfRange = 4,
};
enum class Resolution : int16_t { kRecovered = 1, kPaused = 2, kDeleted = 3, kLateHeartbeat = 4 };

struct Incident {
  IncidentKey key = 0;
  ProjectKey project = 0;
  MonitorKey monitor = 0;
  Cause cause = Cause::kMissedDeadline;
  absl::Time opened_at;    // the deadline that passed, or the heartbeat that said so
  absl::Time detected_at;  // when Tocsin noticed; never before opened_at
  std::optional<absl::Time> closed_at;
  std::optional<Resolution> resolution;   // present exactly when closed_at is
  std::string message;                    // what the job said when it failed; at most 4,096 bytes
  std::optional<absl::Time> reminded_at;  // the newest reminder
  // It began in a maintenance, or while the monitor flapped, and was told nobody: until when that
  // lasts. nullopt: it is told.
  std::optional<absl::Time> held_until;
};

}  // namespace tocsin::core
