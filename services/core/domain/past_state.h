// What a monitor was like at a time that is over, from what is kept of it.
#pragma once

#include <optional>
#include <vector>

#include "services/core/domain/audit.h"
#include "services/core/domain/evidence.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

// `definition` (as it is now) without the changes of `later`, newest first. Only what a verdict
// looks at is taken back: schedule, thresholds, bounds, limit of runs, arm_on_create and channels.
MonitorDefinition DefinitionBefore(MonitorDefinition definition,
                                   const std::vector<AuditRecord>& later);

// The newest up or down that counted (not one that was stale or stored only); nullopt: none.
std::optional<KnownHeartbeat> NewestEnd(const std::vector<KnownHeartbeat>& newest_first);

// Changes of the monitor around `at`, each newest first.
struct ChangesAround {
  std::vector<AuditRecord> before;  // at or before `at`
  std::vector<AuditRecord> later;
};

// A deletion does not say that the state became PAUSED, and when: it is the end of all fields.
bool IsDeletion(const AuditRecord& record);

// The change that paused or deleted it, when it was at rest at `at`.
std::optional<AuditRecord> RestedBy(const ChangesAround& changes);

// The state at `at`, of a monitor without an incident open then. `definition` is that of `at`,
// `present` the state now; `heartbeats` (until `at`) and `passed` (until `at`) are newest first.
// Open runs, misses and credits are derived from what was heard, as well as that can be.
MonitorState StateAt(const MonitorDefinition& definition, const MonitorState& present,
                     const ChangesAround& changes, const std::vector<KnownHeartbeat>& heartbeats,
                     const std::vector<PassedDeadline>& passed, absl::Time at);

}  // namespace tocsin::core
