// How much of the time for which a monitor was watched it was up, and how fast it recovered.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/incident.h"
#include "services/core/domain/intervals.h"

namespace tocsin::core {

// Measured by time, not by heartbeats. What is unwatched counts neither as up nor as down: it is
// left out of both sides of the ratio, and an incident that lies in it altogether is none. Nor is
// one that a late heartbeat has proved wrong.
struct Uptime {
  absl::Time start;
  absl::Time end;
  absl::Duration watched;
  absl::Duration down;  // of `watched`
  // 1 - down / watched, 0 to 1; nullopt when nothing was watched.
  std::optional<double> ratio;
  int64_t incidents = 0;  // that were open at some time of it
  // Of those that ended in it by a recovery: how many, and how long they took from their beginning
  // on, on average and without what is unwatched.
  int64_t recoveries = 0;
  std::optional<absl::Duration> mean_time_to_recovery;
};

// From `window.start` to `window.end`, which is the time of the read or before. Incidents may come
// in any order; those that are open go on until the end.
Uptime UptimeOver(const Interval& window, const std::vector<Incident>& incidents,
                  const Intervals& unwatched);

}  // namespace tocsin::core
