// Which fire times of a cron rule are expected, and which a heartbeat satisfies.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "services/core/domain/schedule.h"

namespace tocsin::core {

// How long before `fire`, a fire time, a heartbeat satisfies it.
absl::Duration EarlyTolerance(const CronRule& rule, absl::Time fire);

// The `count`-th (from 1) fire time that is expected when a heartbeat at `credit` was the last to
// satisfy any (InfinitePast: none was), and what lies at or before `after` is not expected
// (InfinitePast: nothing of that kind). One of both is finite. A heartbeat satisfies the latest
// fire time at or before it, all earlier ones, and one that lies within its tolerance after it.
// InfiniteFuture when there is none.
absl::Time ExpectedFire(const CronRule& rule, absl::Time credit, absl::Time after, int count);

// The last fire time up to `now` whose heartbeat was lost if it came while that of `fire` may have
// been: in an own outage that ended at `outage_end`. `fire` is one, and not after `now`.
absl::Time LastFireSwallowed(const CronRule& rule, absl::Time fire, absl::Time outage_end,
                             absl::Time now);

}  // namespace tocsin::core
