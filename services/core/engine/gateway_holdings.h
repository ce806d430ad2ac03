// What gateways hold that core was not given yet.
#pragma once

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace tocsin::core {

// Bounded by the number of streams. Not thread-safe.
class GatewayHoldings {
 public:
  // On `stream` was said at `at` that nothing waits which came before `since`; InfiniteFuture:
  // nothing waits, or the stream is gone.
  void Say(const void* stream, absl::Time since, absl::Time at) {
    if (since == absl::InfiniteFuture()) {
      held_.erase(stream);
    } else {
      held_[stream] = {.since = since, .said_at = at};
    }
  }

  // When the oldest came of what waits, as was said at or after `said_since`; InfiniteFuture: none.
  absl::Time OldestSince(absl::Time said_since) const {
    absl::Time oldest = absl::InfiniteFuture();
    for (const auto& [stream, held] : held_) {
      if (held.said_at >= said_since) oldest = std::min(oldest, held.since);
    }
    return oldest;
  }

 private:
  struct Held {
    absl::Time since;
    absl::Time said_at;
  };
  absl::flat_hash_map<const void*, Held> held_;
};

}  // namespace tocsin::core
