// The one formula for the deadline, used by writer, sweeper and reader.
#include "services/core/domain/deadline.h"

#include <algorithm>
#include <optional>

namespace tocsin::core {
namespace {

bool SomethingIsDue(const MonitorDefinition& definition, const MonitorState& state) {
  if (definition.deleted_at.has_value()) return false;
  switch (state.state) {
    case State::kNew:
    case State::kUp:
      return true;
    case State::kDown:
      return state.successes > 0;
    case State::kPaused:
      return false;
  }
  return false;
}

// A monitor that was never heard may be about to push over HTTP, so only a known other door
// exempts it from what happened to the gateways.
bool Touches(const Gap& gap, const MonitorState& state) {
  return gap.kind == GapKind::kCore || state.last_source != Source::kGrpc;
}

// From when on an own outage may have swallowed the heartbeat that is expected.
absl::Time SwallowedFrom(const Schedule& schedule, const MonitorState& state, absl::Time base) {
  // Nobody knows when a job pushes next that was just resumed, or created.
  if (state.armed_at > state.last_at) return base;
  const absl::Time half_an_interval_later = base + schedule.recommended_interval / 2;
  // Nor what a job does that was told another schedule.
  const absl::Time changed_at = state.floor_at - schedule.timeout;
  return changed_at > base ? std::min(changed_at, half_an_interval_later) : half_an_interval_later;
}

// The end of the last gap that overlaps [from, until].
std::optional<absl::Time> LastGapEnd(const GapList& gaps, const MonitorState& state,
                                     absl::Time from, absl::Time until) {
  std::optional<absl::Time> last;
  for (auto gap = gaps.rbegin(); gap != gaps.rend() && gap->end >= from; ++gap) {
    if (gap->start > until || !Touches(*gap, state)) continue;
    last = gap->end;
    break;  // the list is in order of end
  }
  return last;
}

}  // namespace

Deadline DeadlineOf(const MonitorDefinition& definition, const MonitorState& state,
                    const GapList& gaps) {
  Deadline deadline;
  const absl::Time base = std::max(state.last_at, state.armed_at);
  if (base == absl::InfinitePast() || !SomethingIsDue(definition, state)) return deadline;

  const Schedule& schedule = definition.schedule;
  const absl::Duration allowed = (state.misses + 1) * schedule.timeout + schedule.grace;
  deadline.plain = std::max(base + allowed, state.floor_at);
  deadline.expected_at = deadline.plain - schedule.grace;
  deadline.at = deadline.plain;
  const std::optional<absl::Time> gap_end =
      LastGapEnd(gaps, state, SwallowedFrom(schedule, state, base), deadline.plain);
  if (gap_end.has_value()) {
    deadline.unverified = true;
    deadline.at =
        std::max(deadline.plain, *gap_end + schedule.recommended_interval + schedule.grace);
  }
  return deadline;
}

}  // namespace tocsin::core
