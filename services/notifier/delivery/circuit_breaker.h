// Stops trying a receiver that does nothing but fail, and probes it now and then.
#pragma once

#include "absl/time/time.h"

namespace tocsin::notifier {

struct BreakerOptions {
  int failures_to_open = 5;  // in a row
  absl::Duration first_pause = absl::Seconds(5);
  absl::Duration longest_pause = absl::Minutes(2);  // the pause doubles with each failed probe
};

// Closed: everything passes. Open: nothing passes until the pause is over. Half open: one probe
// is under way; its success closes the breaker, its failure opens it for twice the pause.
// Times are those of a monotonic clock. Not thread safe.
class CircuitBreaker {
 public:
  enum class State { kClosed, kOpen, kHalfOpen };

  explicit CircuitBreaker(const BreakerOptions& options) : options_(options) {}

  State state() const { return state_; }
  int failures() const { return failures_; }

  // Whether a request may begin now.
  bool MayBegin(absl::Duration now) const;
  // A request begins; makes an open breaker half open. MayBegin must hold.
  void Begin(absl::Duration now);
  void Succeed();
  // The probe was not made after all: the next request is it.
  void CancelProbe();
  // A request failed. Failures of requests that began before the breaker opened change nothing
  // while it is open. `jitter` in [0, 1) shortens the pause by up to a fifth, so that replicas do
  // not probe in step.
  void Fail(absl::Duration now, double jitter);
  // Opens at once, e.g. because the receiver said that it is gone.
  void Trip(absl::Duration now);
  // How much of the pause is left; zero unless open.
  absl::Duration Remaining(absl::Duration now) const;

 private:
  void Open(absl::Duration now, double jitter);

  BreakerOptions options_;
  State state_ = State::kClosed;
  int failures_ = 0;  // in a row
  absl::Duration pause_;
  absl::Duration open_until_;
};

}  // namespace tocsin::notifier
