// Gathers what a verdict is made of.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/domain/evidence.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// What is known of a monitor at the beginning.
struct ExplainSubject {
  Monitor monitor;
  std::vector<AuditRecord> changes;  // newest first
  Maintenances maintenances;         // of its project, as they are now
};

// What the audit log has of it. Not of another monitor that had its name before, be that in a
// project that was deleted: whoever may see the one must not see the other.
AuditQuery AuditOf(const MonitorDefinition& definition);

absl::StatusOr<ExplainSubject> ReadSubject(Store& store, const std::string& project,
                                           const std::string& monitor);

// The windows about the monitor that were open at `at`.
std::vector<KnownWindow> WindowsAt(const ExplainSubject& subject, absl::Time at);

// Newest first, at or before `until`.
absl::StatusOr<std::vector<KnownHeartbeat>> ReadHeartbeats(Store& store, MonitorKey monitor,
                                                           absl::Time until, int limit);

// `at`: nullopt for the present, and then the outage is the open one or the last since `since`.
absl::StatusOr<Evidence> GatherEvidence(Store& store, const ExplainSubject& subject,
                                        std::optional<absl::Time> at, absl::Time since,
                                        absl::Time now);

}  // namespace tocsin::core
