// What is kept of the heartbeats of an hour or a day when they themselves are gone.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/histogram.h"
#include "services/core/domain/incident.h"
#include "services/core/domain/intervals.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/rhythm.h"

namespace tocsin::core {

inline constexpr absl::Duration kHourLength = absl::Hours(1);
inline constexpr absl::Duration kDayLength = absl::Hours(24);  // of UTC

// So long after its end an hour is rolled up: what was received in it is committed by then, and
// what is known of the outage that it may have ended in, too. What is committed later still is in
// no rollup.
inline constexpr absl::Duration kRollupSettle = absl::Minutes(5);

// Of the signals that were received from `start` on for an hour or a day. A gap belongs to the
// signal that ended it. All are as things were when the hour was rolled up: the schedule,
// maintenances, own outages and incidents.
struct Rollup {
  absl::Time start;
  Histogram gaps;      // in seconds; see AllBeatsOf
  Histogram silences;  // of silent beats
  Histogram lateness;  // in seconds
  Histogram values;

  bool empty() const { return gaps.count + silences.count + lateness.count + values.count == 0; }
  // Keeps its start.
  void Add(const Rollup& more);

  friend bool operator==(const Rollup&, const Rollup&) = default;
};

// Of the hour from `start` on. `signals` are those of the hour, and before them the one that came
// before, if any; in order of time.
Rollup RollUp(const MonitorDefinition& definition, absl::Time start,
              const std::vector<Signal>& signals, const Intervals& unwatched,
              const std::vector<Incident>& incidents);

absl::Time HourOf(absl::Time at);
absl::Time DayOf(absl::Time at);

// Up to where the hours and the days of a monitor are rolled up: the beginning of one each, and
// days no further than hours.
struct RolledTo {
  absl::Time hours = absl::InfinitePast();
  absl::Time days = absl::InfinitePast();
};

// For how long hours have been over that are not rolled up; zero when there are none. Until the
// first one was rolled up (InfinitePast) there is nothing to count from: zero, too.
absl::Duration RollupLag(absl::Time rolled_hours, absl::Time now);

// Which rollups tell what was before the heartbeats that are still read one by one: days from
// `days` to before `hours`, then hours to before `end`. Signals before `end` are in rollups, later
// ones are not.
struct RollupSpan {
  absl::Time days;
  absl::Time hours;
  absl::Time end;
};

// `first` is the earliest signal that was read of those since which all were: InfiniteFuture when
// there is none. The hour, or where days are rolled up that far the day, in which it lies is told
// by rollups as a whole. Nothing is told of what was before `since`, to the day.
RollupSpan RollupsBefore(absl::Time first, const RolledTo& rolled, absl::Time since);

}  // namespace tocsin::core
