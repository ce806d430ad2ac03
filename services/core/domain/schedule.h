// When heartbeats are expected.
#pragma once

#include "absl/time/time.h"

namespace tocsin::core {

// One heartbeat at least every `timeout`.
struct HeartbeatSchedule {
  absl::Duration timeout;               // 1 s to 366 days
  absl::Duration recommended_interval;  // > 0, at most the timeout
  absl::Duration grace;                 // 0 to 366 days

  friend bool operator==(const HeartbeatSchedule&, const HeartbeatSchedule&) = default;
};

// The only kind so far; a cron schedule joins it as a variant.
using Schedule = HeartbeatSchedule;

}  // namespace tocsin::core
