// The only place that reads the time: wall and monotonic clocks, injected everywhere else.
#pragma once

#include "absl/time/time.h"

namespace tocsin {

// `t` cut to whole microseconds, towards the past: what PostgreSQL's timestamptz keeps.
absl::Time TruncateToMicros(absl::Time t);

// Wall time. Implementations are thread safe and return whole microseconds.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
};

class SystemClock : public Clock {
 public:
  absl::Time Now() const override;
};

// Time since an arbitrary origin (boot) that never steps and goes on while the machine is
// suspended (CLOCK_BOOTTIME). Implementations are thread safe.
class MonotonicClock {
 public:
  virtual ~MonotonicClock() = default;
  virtual absl::Duration Now() const = 0;
};

class SystemMonotonicClock : public MonotonicClock {
 public:
  absl::Duration Now() const override;
};

}  // namespace tocsin
