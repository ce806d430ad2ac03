// Stops trying a receiver that does nothing but fail, and probes it now and then.
#include "services/notifier/delivery/circuit_breaker.h"

#include <algorithm>

namespace tocsin::notifier {

bool CircuitBreaker::MayBegin(absl::Duration now) const {
  switch (state_) {
    case State::kClosed:
      return true;
    case State::kOpen:
      return now >= open_until_;
    case State::kHalfOpen:
      return false;
  }
  return true;
}

void CircuitBreaker::Begin(absl::Duration now) {
  if (state_ == State::kOpen && now >= open_until_) state_ = State::kHalfOpen;
}

void CircuitBreaker::Succeed() {
  state_ = State::kClosed;
  failures_ = 0;
  pause_ = absl::ZeroDuration();
}

void CircuitBreaker::CancelProbe() {
  if (state_ == State::kHalfOpen) state_ = State::kOpen;
}

void CircuitBreaker::Fail(absl::Duration now, double jitter) {
  ++failures_;
  if (state_ == State::kHalfOpen ||
      (state_ == State::kClosed && failures_ >= options_.failures_to_open)) {
    Open(now, jitter);
  }
}

void CircuitBreaker::Trip(absl::Duration now) {
  failures_ = std::max(failures_ + 1, options_.failures_to_open);
  Open(now, 0);
}

absl::Duration CircuitBreaker::Remaining(absl::Duration now) const {
  if (state_ != State::kOpen) return absl::ZeroDuration();
  return std::max(open_until_ - now, absl::ZeroDuration());
}

void CircuitBreaker::Open(absl::Duration now, double jitter) {
  pause_ = pause_ == absl::ZeroDuration() ? options_.first_pause
                                          : std::min(pause_ * 2, options_.longest_pause);
  open_until_ = now + pause_ * (1 - std::clamp(jitter, 0.0, 1.0) / 5);
  state_ = State::kOpen;
}

}  // namespace tocsin::notifier
