// A deadline that passed and that no alert tells of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "services/core/domain/deadline.h"
#include "services/core/domain/keys.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/transition.h"

namespace tocsin::core {

// What an alert keeps of a deadline in its snapshot is kept here of one that is told nobody: it was
// counted below the threshold, excused, passed while the monitor was DOWN, or what it opened is
// held back.
struct PassedDeadline {
  MonitorKey monitor = 0;
  absl::Time at;           // the deadline
  absl::Time plain;        // without own outages and maintenances
  absl::Time expected_at;  // without the grace
  absl::Time judged_at;
  Reason reason = Reason::kCounted;
  int32_t failures = 0;   // in a row, with this one
  int32_t threshold = 1;  // the failure threshold then
  std::string run_id;     // with an overrun: of which run
  std::optional<absl::Time> held_until;
  std::string settings;  // SettingsText of the definition then

  friend bool operator==(const PassedDeadline&, const PassedDeadline&) = default;
};

// What a monitor was judged by, in words: "every 10m, grace 1m, 2 failures in a row"; at most 300
// bytes.
std::string SettingsText(const MonitorDefinition& definition);

// What is to be kept of a decision on `deadline`, which had passed; nullopt when an alert tells of
// it, or it was no deadline that was decided.
std::optional<PassedDeadline> PassedUntold(const MonitorDefinition& definition,
                                           const Deadline& deadline, const Decision& decision,
                                           absl::Time now);

}  // namespace tocsin::core
