// When there is something to tell of an open incident.
#include "services/core/domain/tell_time.h"

#include <algorithm>
#include <optional>

#include "services/core/domain/flapping.h"
#include "services/core/domain/maintenance.h"

namespace tocsin::core {

std::optional<absl::Time> SilentUntil(const MonitorState& state, const GapList& gaps,
                                      absl::Time now) {
  // nullopt is less than any time.
  return std::max({MaintainedUntil(gaps, now), MutedUntil(gaps, now), SteadyAt(state, now)});
}

absl::Time HeldUntil(const MonitorState& state) {
  if (!state.incident.has_value()) return absl::InfiniteFuture();
  return state.incident->held_until.value_or(absl::InfiniteFuture());
}

absl::Time ReminderAt(const MonitorDefinition& definition, const MonitorState& state) {
  if (definition.reminder_interval <= absl::ZeroDuration() || !state.incident.has_value() ||
      state.incident->held_until.has_value()) {
    return absl::InfiniteFuture();
  }
  const Incident& incident = *state.incident;
  return incident.reminded_at.value_or(incident.detected_at) + definition.reminder_interval;
}

absl::Time TellAt(const MonitorDefinition& definition, const MonitorState& state,
                  const GapList& gaps, absl::Time now) {
  const absl::Time held_until = HeldUntil(state);
  const absl::Time untold_end_at = UntoldEndAt(state);
  if (held_until == absl::InfiniteFuture()) {
    return std::min(untold_end_at, ReminderAt(definition, state));
  }
  if (untold_end_at <= now) return untold_end_at;
  const std::optional<absl::Time> until = SilentUntil(state, gaps, now);
  // As it was foreseen: then, or since then.
  if (until.has_value() ? *until == held_until : held_until <= now) {
    return std::min(untold_end_at, held_until);
  }
  // A window became longer or shorter, or is gone: that is to be noted, or told, now.
  return state.incident->detected_at;
}

}  // namespace tocsin::core
