// Follows the database's clock on the machine's monotonic one.
#include "services/core/engine/database_clock.h"

#include <algorithm>

#include "common/status_macros.h"

namespace tocsin::core {
namespace {

// Half of a round trip is how wrong the answer can be.
constexpr absl::Duration kLongestRoundTrip = absl::Milliseconds(250);
// While the shown time is ahead of the database's it passes this many times slower.
constexpr int kSlowness = 100;

}  // namespace

DatabaseClock::DatabaseClock(const MonotonicClock& monotonic, const Clock& fallback)
    : monotonic_(monotonic), fallback_(fallback) {}

absl::Time DatabaseClock::Now() const {
  absl::MutexLock lock(&mutex_);
  const absl::Duration at = monotonic_.Now();
  const absl::Time target = TruncateToMicros(following_ ? base_ + (at - since_) : fallback_.Now());
  if (target >= shown_) {
    shown_ = target;
    shown_since_ = at;
    return shown_;
  }
  // Not still for good: what waits for a time to come must not wait as long as the step was.
  const absl::Time creeping = TruncateToMicros(shown_ + (at - shown_since_) / kSlowness);
  if (creeping > shown_) {
    shown_ = creeping;
    shown_since_ = at;
  }
  return shown_;
}

absl::Status DatabaseClock::Follow(Store& store) {
  const absl::Duration before = monotonic_.Now();
  ASSIGN_OR_RETURN(const absl::Time told, store.ReadDatabaseClock());
  const absl::Duration round_trip = monotonic_.Now() - before;
  const absl::Time own = fallback_.Now() - round_trip / 2;
  if (round_trip > kLongestRoundTrip) {
    return absl::UnavailableError("the database took too long to tell its time");
  }
  absl::MutexLock lock(&mutex_);
  following_ = true;
  base_ = told;
  since_ = before + round_trip / 2;
  offset_ = told - own;
  return absl::OkStatus();
}

absl::Duration DatabaseClock::Offset() const {
  absl::MutexLock lock(&mutex_);
  return offset_;
}

}  // namespace tocsin::core
