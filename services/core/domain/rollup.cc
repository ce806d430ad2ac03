// What is kept of the heartbeats of an hour or a day.
#include "services/core/domain/rollup.h"

#include <algorithm>

namespace tocsin::core {
namespace {

absl::Time Floor(absl::Time at, absl::Duration length) {
  return absl::UnixEpoch() + absl::Floor(at - absl::UnixEpoch(), length);
}

}  // namespace

absl::Time HourOf(absl::Time at) { return Floor(at, kHourLength); }

absl::Time DayOf(absl::Time at) { return Floor(at, kDayLength); }

void Rollup::Add(const Rollup& more) {
  gaps.Add(more.gaps);
  silences.Add(more.silences);
  lateness.Add(more.lateness);
  values.Add(more.values);
}

Rollup RollUp(const MonitorDefinition& definition, absl::Time start,
              const std::vector<Signal>& signals, const Intervals& unwatched,
              const std::vector<Incident>& incidents) {
  Rollup rollup;
  rollup.start = start;
  for (const Beat& beat : AllBeatsOf(definition, signals, unwatched, incidents)) {
    if (beat.at < start) continue;
    (beat.silent ? rollup.silences : rollup.gaps).Add(absl::ToDoubleSeconds(beat.gap));
    if (beat.lateness.has_value()) rollup.lateness.Add(absl::ToDoubleSeconds(*beat.lateness));
  }
  for (const Signal& signal : signals) {
    if (signal.at >= start && signal.value.has_value()) rollup.values.Add(*signal.value);
  }
  return rollup;
}

absl::Duration RollupLag(absl::Time rolled_hours, absl::Time now) {
  if (rolled_hours == absl::InfinitePast()) return absl::ZeroDuration();
  return std::max(HourOf(now - kRollupSettle) - rolled_hours, absl::ZeroDuration());
}

RollupSpan RollupsBefore(absl::Time first, const RolledTo& rolled, absl::Time since) {
  RollupSpan span;
  const absl::Time within = std::min(first, rolled.hours);
  span.end = std::min(HourOf(within) + kHourLength, rolled.hours);
  if (DayOf(within) + kDayLength <= rolled.days) span.end = DayOf(within) + kDayLength;
  span.hours = std::min(DayOf(span.end), rolled.days);
  span.days = DayOf(since);
  span.hours = std::max(span.hours, span.days);
  return span;
}

}  // namespace tocsin::core
