// When nothing was expected of a monitor, or nobody could have heard it: no time to judge it by.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/intervals.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

// So many windows of each maintenance are looked at, the newest: one that opens every hour is known
// for 100 days.
inline constexpr int kMostWindows = 2'400;
// And so many of all maintenances together.
inline constexpr int kMostWindowsInAll = 10'000;

struct Unwatched {
  Intervals intervals;
  // What was before is not known: there were more windows of maintenances than are looked at.
  absl::Time known_since;
};

// Of a monitor that is as it is at `now`, from `since` on:
//   - before its creation, and after its deletion;
//   - while it was PAUSED or NEW (nothing is known of a job that was never heard): `states` has
//     those times that have ended, in any order;
//   - own outages (`gaps`); those of gateways when its heartbeats come over HTTP;
//   - windows of `maintenances` about it, as both are defined now. Mutes move no deadline, and are
//     left in.
Unwatched UnwatchedOf(const Monitor& monitor, const std::vector<Interval>& states,
                      const GapList& gaps, const Maintenances& maintenances, absl::Time since,
                      absl::Time now);

}  // namespace tocsin::core
