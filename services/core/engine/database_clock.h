// A clock that follows the database's, so that replicas agree on the time.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// Thread-safe. Runs on the monotonic clock; what the database says moves it: forward at once, and
// backward by standing almost still, so that it never jumps back. Until the first Follow it shows
// `fallback`.
class DatabaseClock : public Clock {
 public:
  DatabaseClock(const MonotonicClock& monotonic, const Clock& fallback);

  absl::Time Now() const override;
  // Asks the database once; the answer counts for the middle of the round trip. Answers of a round
  // trip over 250 ms are not used.
  absl::Status Follow(Store& store);
  // The database's clock less the machine's own (`fallback`), as last measured.
  absl::Duration Offset() const;

 private:
  const MonotonicClock& monotonic_;
  const Clock& fallback_;
  mutable absl::Mutex mutex_;
  bool following_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time base_ ABSL_GUARDED_BY(mutex_);  // database time at monotonic `since_`
  absl::Duration since_ ABSL_GUARDED_BY(mutex_);
  absl::Duration offset_ ABSL_GUARDED_BY(mutex_);
  mutable absl::Time shown_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  mutable absl::Duration shown_since_ ABSL_GUARDED_BY(mutex_);  // monotonic
};

}  // namespace tocsin::core
