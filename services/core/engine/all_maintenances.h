// Every maintenance of a project.
#pragma once

#include "absl/status/statusor.h"
#include "services/core/domain/maintenance.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// How many are read at once.
inline constexpr int kMaintenancesAtOnce = 4 * kMaxMaintenances;
// What is kept of them (see RetentionPolicy) has no bound of its own: only those that have not
// ended are limited. Beyond so many the rest is left out.
inline constexpr size_t kMostMaintenances = 50 * kMaintenancesAtOnce;

// All that `query` asks for, but for its after_id and limit: what a deadline or a verdict is made
// from must not miss one that happens to come late in the order of ids.
absl::StatusOr<Maintenances> AllMaintenances(Store& store, MaintenanceQuery query);

}  // namespace tocsin::core
