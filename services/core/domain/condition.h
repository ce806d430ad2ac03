// What a person sees of a monitor: the stored state, refined by the time of the read.
#pragma once

#include "absl/time/time.h"
#include "services/core/domain/deadline.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

// Derived, never stored.
enum class Condition {
  kNew,            // NEW, and within its schedule
  kNeverReported,  // never pushed for longer than its schedule allows, armed or not
  kUp,             // UP, and in time
  kLate,           // UP, past the timeout, and its deadline not yet judged
  kRunning,        // a run is open
  kDown,
  kPaused,  // also: deleted
};

struct ConditionView {
  Condition condition = Condition::kNew;
  Deadline deadline;        // `at` is InfiniteFuture when nothing is due
  bool unverified = false;  // a heartbeat may have been lost in an own outage
};

// `gaps` as for DeadlineOf.
ConditionView ConditionOf(const MonitorDefinition& definition, const MonitorState& state,
                          const GapList& gaps, absl::Time now);

}  // namespace tocsin::core
