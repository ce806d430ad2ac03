// How long the gateway had to refuse pushes: core counts it as time in which nothing was received.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace tocsin::gateway {

class ShedClock {
 public:
  // Pushes that came at `from` or later were refused at `to`. Overlapping intervals count once.
  void Note(absl::Duration from, absl::Duration to) {
    from = std::max(from, covered_until_);
    if (to <= from) return;
    pending_ += to - from;
    total_ += to - from;
    covered_until_ = to;
  }

  // One push was refused on arrival. Whoever else would have come since the last refusal, if that
  // was a moment ago, was refused as well; a single one counts a millisecond.
  void NoteRefusal(absl::Duration now) {
    constexpr absl::Duration kMoment = absl::Seconds(1);
    const bool continues = now - refused_at_ <= kMoment;
    Note(continues ? refused_at_ : now - absl::Milliseconds(1), now);
    refused_at_ = now;
  }

  // What was not told yet, in whole microseconds; Return() gives it back when it did not arrive.
  uint64_t TakeMicros() {
    const int64_t micros = absl::ToInt64Microseconds(pending_);
    pending_ -= absl::Microseconds(micros);
    return static_cast<uint64_t>(micros);
  }
  void Return(uint64_t micros) { pending_ += absl::Microseconds(static_cast<int64_t>(micros)); }

  absl::Duration total() const { return total_; }

 private:
  absl::Duration pending_;
  absl::Duration total_;
  absl::Duration covered_until_ = -absl::InfiniteDuration();
  absl::Duration refused_at_ = -absl::InfiniteDuration();
};

}  // namespace tocsin::gateway
