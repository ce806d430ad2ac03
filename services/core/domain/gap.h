// Own outages: intervals in which Tocsin could not receive heartbeats.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace tocsin::core {

// The numbers are stored: never change one.
enum class GapKind : int16_t {
  kCore = 1,     // no core could commit: touches every monitor
  kGateway = 2,  // no gateway was connected: touches monitors whose last heartbeat came over HTTP
  kShed = 3,     // gateways refused pushes: as kGateway
  // Never stored: a window of a maintenance of the one monitor that a list is made for.
  kMaintenance = 4,
  kMute = 5,  // as kMaintenance, but it moves no deadline
};

// A closed interval: start < end. But for kMaintenance and kMute it has ended.
struct Gap {
  GapKind kind = GapKind::kCore;
  absl::Time start;  // when heartbeats could last be received
  absl::Time end;    // when they could again

  friend bool operator==(const Gap&, const Gap&) = default;
};

// Gaps in order of end. Intervals may overlap: replicas may record the same outage twice.
using GapList = std::vector<Gap>;

}  // namespace tocsin::core
