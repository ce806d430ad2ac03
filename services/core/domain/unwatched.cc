// When nothing was expected of a monitor, or nobody could have heard it.
#include "services/core/domain/unwatched.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace tocsin::core {
namespace {

bool Concerns(const Gap& gap, const MonitorState& state) {
  return gap.kind == GapKind::kCore || state.last_source != Source::kGrpc;
}

// Adds the windows that end after `since`, from the newest on that began by `now`, at most `most`.
// Returns since when they are known.
absl::Time AddWindows(const Maintenance& maintenance, absl::Time since, absl::Time now, int most,
                      std::vector<Interval>& intervals) {
  std::optional<MaintenanceWindow> window = WindowBegunBy(maintenance, now);
  for (int looked = 0; window.has_value() && window->end > since; ++looked) {
    if (looked == most) return window->end;
    intervals.push_back({.start = window->start, .end = window->end});
    if (!maintenance.recurring.has_value()) break;
    window = WindowBegunBy(maintenance, window->start - absl::Microseconds(1));
  }
  return since;
}

}  // namespace

Unwatched UnwatchedOf(const Monitor& monitor, const std::vector<Interval>& states,
                      const GapList& gaps, const Maintenances& maintenances, absl::Time since,
                      absl::Time now) {
  const auto& [definition, state] = monitor;
  Unwatched unwatched;
  unwatched.known_since = since;
  std::vector<Interval> intervals = states;
  intervals.push_back({.start = absl::InfinitePast(), .end = definition.created_at});
  if (definition.deleted_at.has_value()) {
    intervals.push_back({.start = *definition.deleted_at, .end = absl::InfiniteFuture()});
  }
  if (state.state == State::kNew || state.state == State::kPaused) {
    intervals.push_back({.start = state.changed_at, .end = absl::InfiniteFuture()});
  }
  for (const Gap& gap : gaps) {
    if (Concerns(gap, state)) intervals.push_back({.start = gap.start, .end = gap.end});
  }
  const size_t before = intervals.size();
  for (const Maintenance& maintenance : maintenances) {
    const int left = kMostWindowsInAll - static_cast<int>(intervals.size() - before);
    if (maintenance.kind != MaintenanceKind::kMaintenance || !Covers(maintenance, definition)) {
      continue;
    }
    const int most = std::min(kMostWindows, left);
    unwatched.known_since =
        std::max(unwatched.known_since, AddWindows(maintenance, since, now, most, intervals));
  }
  unwatched.intervals = Merged(std::move(intervals));
  return unwatched;
}

}  // namespace tocsin::core
