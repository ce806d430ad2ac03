// By when product.md promises that a job which has fallen silent is noticed: "Schedules and
// deadlines" and "Own outages" once more, in a plain way of the test's own.
#pragma once

#include "absl/time/time.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core::simulation {

// The next time that something must be noted of a monitor that nobody hears.
struct NextMiss {
  absl::Time at;         // not later than this, but for the time that judging takes
  bool of_run = false;   // a run overran
  bool excused = false;  // a fire time that counts nothing
  absl::Time fire;       // with cron: the one that was missed, or the last that was excused
};

// Of a monitor that is UP, or NEW and armed; of `state` all but sequence and incident. `disturbed`
// is each time in which its heartbeats may have been lost, or its job may have rested, in any
// order.
NextMiss NextMissOf(const MonitorDefinition& definition, const MonitorState& state,
                    const GapList& disturbed);

// The floor that a change of schedule at `now` sets: a fire time that is in its grace, fires in
// both and gets no less time stays expected.
absl::Time FloorAfterChange(const Schedule& before, const Schedule& after,
                            const MonitorState& state, absl::Time now);

// When the failure threshold is reached if nobody ever hears it again. Before `since` another one
// may have held: what was below that is not told when it changes, but with the next failure.
absl::Time DownBy(const MonitorDefinition& definition, MonitorState state, const GapList& disturbed,
                  absl::Time since);

// With the time in which nothing is judged, and that which judging takes. `outages` are those of
// Tocsin.
absl::Time NoticedBy(absl::Time at, const GapList& outages);

}  // namespace tocsin::core::simulation
