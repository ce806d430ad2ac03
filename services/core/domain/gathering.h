// Storms: when too many alerts come for one channel at once, they are gathered into one digest.
//
// The first `group_limit` of any `group_wait` go at once, each by itself, so that what is no storm
// is never delayed. What comes beyond waits until the window ends. If more than the limit wait
// then, they go as one digest, and another window begins in which everything is gathered; else they
// go each by itself.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "absl/time/time.h"
#include "services/core/domain/alert_event.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/delivery.h"
#include "services/core/domain/incident.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

// One digest tells no more deliveries than these; another follows it.
inline constexpr int kMaxGathered = 5000;
// So many of its events are named.
inline constexpr int kNamedInDigest = 20;

// The window of a channel in which alerts are counted.
struct GatherWindow {
  absl::Time started_at = absl::InfinitePast();
  int32_t sent = 0;  // by themselves since then

  friend bool operator==(const GatherWindow&, const GatherWindow&) = default;
};

struct GatherPlan {
  int32_t release = 0;  // so many of those that wait, the oldest, go by themselves
  bool digest = false;  // all that wait go as one
  GatherWindow window;  // from now on

  friend bool operator==(const GatherPlan&, const GatherPlan&) = default;
};

// Whether alerts of the monitor may be gathered by the channel: never those of a critical monitor,
// nor for a pager, where each alert is an incident of its own.
bool MayBeGathered(const Channel& channel, Severity severity);

// `waiting`: how many alerts that may be gathered are due; more than the limit need not be counted
// exactly.
GatherPlan PlanGathering(const Channel& channel, const GatherWindow& window, int32_t waiting,
                         absl::Time now);

// Counts what a digest tells.
class DigestCounter {
 public:
  void Add(EventType type, Cause cause) { ++counts_[{type, cause}]; }
  DigestFacts Facts() const;

 private:
  std::map<std::pair<EventType, Cause>, int32_t> counts_;
};

// When what waits is to be looked at again; the past when it is to be now.
absl::Time GatheredUntil(const Channel& channel, const GatherWindow& window);

}  // namespace tocsin::core
