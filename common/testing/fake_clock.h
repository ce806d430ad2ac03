// Clocks that stand still until a test moves them.
#pragma once

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"

namespace tocsin {

// 2026-01-05 12:00:00 UTC, a Monday: the start of most tests.
inline absl::Time TestEpoch() { return absl::FromUnixSeconds(1767614400); }

// Thread safe.
class FakeClock : public Clock {
 public:
  explicit FakeClock(absl::Time start = TestEpoch()) : now_(TruncateToMicros(start)) {}

  absl::Time Now() const override {
    absl::MutexLock lock(&mutex_);
    return now_;
  }
  void Advance(absl::Duration d) {
    absl::MutexLock lock(&mutex_);
    now_ = TruncateToMicros(now_ + d);
  }
  void Set(absl::Time t) {
    absl::MutexLock lock(&mutex_);
    now_ = TruncateToMicros(t);
  }

 private:
  mutable absl::Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
};

// Thread safe.
class FakeMonotonicClock : public MonotonicClock {
 public:
  explicit FakeMonotonicClock(absl::Duration start = absl::ZeroDuration()) : now_(start) {}

  absl::Duration Now() const override {
    absl::MutexLock lock(&mutex_);
    return now_;
  }
  void Advance(absl::Duration d) {
    absl::MutexLock lock(&mutex_);
    now_ += d;
  }

 private:
  mutable absl::Mutex mutex_;
  absl::Duration now_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin
