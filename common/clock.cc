// System clocks.
#include "common/clock.h"

#include <ctime>

#include "absl/time/clock.h"

namespace tocsin {

absl::Time TruncateToMicros(absl::Time t) {
  if (t == absl::InfiniteFuture() || t == absl::InfinitePast()) return t;
  return absl::UnixEpoch() + absl::Floor(t - absl::UnixEpoch(), absl::Microseconds(1));
}

absl::Time SystemClock::Now() const { return TruncateToMicros(absl::Now()); }

absl::Duration SystemMonotonicClock::Now() const {
  timespec ts;
  clock_gettime(CLOCK_BOOTTIME, &ts);
  return absl::DurationFromTimespec(ts);
}

}  // namespace tocsin
