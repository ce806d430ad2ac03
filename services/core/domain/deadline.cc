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
      LastGapEnd(gaps, state, base + schedule.recommended_interval / 2, deadline.plain);
  if (gap_end.has_value()) {
    deadline.unverified = true;
    deadline.at =
        std::max(deadline.plain, *gap_end + schedule.recommended_interval + schedule.grace);
  }
  return deadline;
}

}  // namespace tocsin::core
