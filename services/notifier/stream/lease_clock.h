// Tells from when the lease of an assignment that is read now must be counted.
#pragma once

#include "absl/time/time.h"

namespace tocsin::notifier {

// A lease counts from when core assigned it, and we count from when we read it. That is the same
// unless this process was frozen (SIGSTOP, a suspended machine, a starved container): then what
// lay in the socket meanwhile is as old as the freeze, and another notifier may have taken it over.
// A tick that comes late betrays a freeze; what is read just after it is counted from before it.
// Times are those of a monotonic clock that counts suspended time. Not thread safe.
class LeaseClock {
 public:
  // How often Tick is to be called.
  static constexpr absl::Duration kTick = absl::Seconds(1);
  // A pause between ticks that is no freeze.
  static constexpr absl::Duration kTolerance = absl::Seconds(2);
  // By then what lay in the socket has been read.
  static constexpr absl::Duration kRecovery = absl::Seconds(2);

  explicit LeaseClock(absl::Duration now) : alive_at_(now) {}

  void Tick(absl::Duration now) {
    Notice(now);
    alive_at_ = now;
  }
  // From when a lease that is read at `now` counts. May notice a freeze before Tick does.
  absl::Duration ReadAt(absl::Duration now) {
    Notice(now);
    return now < suspect_until_ ? frozen_since_ : now;
  }

 private:
  void Notice(absl::Duration now) {
    if (now - alive_at_ <= kTolerance) return;
    // A freeze soon after a freeze is one: what was read in between may be as old as the first.
    if (alive_at_ >= suspect_until_) frozen_since_ = alive_at_;
    suspect_until_ = now + kRecovery;
  }

  absl::Duration alive_at_;
  absl::Duration frozen_since_;
  absl::Duration suspect_until_ = -absl::InfiniteDuration();
};

}  // namespace tocsin::notifier
