// Rolls heartbeats up by hour and day, in steps that can be cut off anywhere.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/domain/keys.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/rollup.h"
#include "services/core/store/pg/session.h"
#include "services/core/store/records.h"

namespace tocsin::core::pg {

// How far it came: up to where the hours and days of all monitors are rolled up. InfinitePast
// before the first time.
absl::StatusOr<RolledTo> ReadRolledTo(Session& session);
// That of one monitor.
absl::StatusOr<RolledTo> ReadRolledTo(Session& session, MonitorKey monitor);

// Not thread-safe. A step is one transaction that also writes how far it came, whose row it locks:
// whoever does the same at the same time waits, and then goes on behind it.
class Roller {
 public:
  // All of it outlives the roller.
  Roller(Session& session, const Maintenances& maintenances, const RollupPolicy& policy)
      : session_(session), maintenances_(maintenances), policy_(policy) {}

  // Steps until nothing that is over at `now` is left, or one of the policy's bounds is reached;
  // tells whether there was anything to do. A day comes before the next hour.
  absl::StatusOr<bool> Run(absl::Time now);

 private:
  // The hour or day that is being rolled up, and the last monitor of it that was.
  struct Place {
    absl::Time start;
    MonitorKey monitor = 0;
  };
  struct Progress {
    Place hour;
    Place day;
  };

  absl::StatusOr<bool> Step(absl::Time now);
  absl::StatusOr<Progress> LockProgress(absl::Time now);
  // Moves on a place at its beginning to where there may be something.
  absl::Status SkipHours(Place& hour, absl::Time over);
  absl::Status SkipDays(Place& day, absl::Time over);
  absl::Status RollHour(Place& hour);
  absl::Status RollDay(Place& day);
  absl::StatusOr<std::vector<MonitorKey>> NextMonitors(MonitorKey after);

  Session& session_;
  const Maintenances& maintenances_;
  const RollupPolicy& policy_;
  int64_t signals_ = 0;  // read in this run
};

}  // namespace tocsin::core::pg
