// When there is something to tell of an open incident.
#include "services/core/domain/tell_time.h"

#include <algorithm>

#include "services/core/domain/maintenance.h"

namespace tocsin::core {

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
  const bool held = HeldUntil(state) != absl::InfiniteFuture();
  if (held && !MaintainedUntil(gaps, now).has_value()) return state.incident->detected_at;
  return std::min(HeldUntil(state), ReminderAt(definition, state));
}

}  // namespace tocsin::core
