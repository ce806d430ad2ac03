// How maintenances are read from rows, and what was read last.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/core/domain/maintenance.h"
#include "services/core/store/pg/rows.h"

namespace tocsin::core::pg {

// Of tables t (maintenance) and p (its project).
#define TOCSIN_MAINTENANCE_COLUMNS                                                            \
  "t.maintenance_id, t.project_id, p.id, t.id, t.display_name, t.reason, t.author, "          \
  "t.selector, array_to_string(t.monitors, ','), t.all_monitors, t.start_at, t.end_at, "      \
  "coalesce(t.cron, ''), t.time_zone, t.duration_us, t.created_at, t.updated_at, t.version, " \
  "t.kind, t.deleted_at"

Maintenance ReadMaintenance(Row& row);

// All maintenances as they were read last. Thread-safe.
class MaintenanceCache {
 public:
  // The sum of the versions, and how many there are. A change draws a version above all others, so
  // that none leaves both as they were; the newest alone would not show what was drawn before it
  // and committed after it.
  using Stamp = std::pair<int64_t, int64_t>;

  // Null unless what is kept has that stamp.
  std::shared_ptr<const Maintenances> Find(const Stamp& stamp) const {
    absl::MutexLock lock(&mutex_);
    return stamp == stamp_ ? kept_ : nullptr;
  }
  void Keep(const Stamp& stamp, std::shared_ptr<const Maintenances> maintenances) {
    absl::MutexLock lock(&mutex_);
    stamp_ = stamp;
    kept_ = std::move(maintenances);
  }

 private:
  mutable absl::Mutex mutex_;
  Stamp stamp_ ABSL_GUARDED_BY(mutex_) = {0, 0};
  std::shared_ptr<const Maintenances> kept_ ABSL_GUARDED_BY(mutex_) =
      std::make_shared<const Maintenances>();
};

}  // namespace tocsin::core::pg
