// Heartbeats that were in time, though their commit was not.
#include "services/core/domain/late_heartbeat.h"

#include <algorithm>

#include "services/core/domain/fire_times.h"

namespace tocsin::core {
namespace {

// Whether the deadline that was missed would have been another one, had this up been there in time.
bool WouldHaveMoved(const MonitorDefinition& definition, const MonitorState& state,
                    const Heartbeat& heartbeat, absl::Time deadline) {
  // A start since then is none of its matter.
  const absl::Time started = state.credit_at <= deadline ? state.credit_at : absl::InfinitePast();
  if (heartbeat.at <= std::max(state.last_at, state.armed_at)) return false;
  const Schedule& schedule = definition.schedule;
  if (!schedule.cron.has_value()) return heartbeat.at > started;
  const absl::Time credit = started == absl::InfinitePast() ? state.last_at : started;
  const absl::Time after = std::max({state.armed_at, state.floor_at, state.excused_at});
  return ExpectedFire(*schedule.cron, heartbeat.at, after, 1) !=
         ExpectedFire(*schedule.cron, credit, after, 1);
}

}  // namespace

bool ProvesIncidentWrong(const MonitorDefinition& definition, const MonitorState& state,
                         const Heartbeat& heartbeat, const Run* ended_run) {
  if (!state.incident.has_value()) return false;
  const absl::Time deadline = state.incident->opened_at;
  if (heartbeat.at > deadline) return false;
  if (state.incident->cause == Cause::kRunOverran) {
    return ended_run != nullptr && ended_run->overran && ended_run->due_at <= deadline;
  }
  if (state.incident->cause != Cause::kMissedDeadline) return false;
  if (WouldHaveMoved(definition, state, heartbeat, deadline)) return true;
  return state.last_at > deadline && state.last_kind == HeartbeatKind::kUp;
}

int MissesProvedWrong(const MonitorDefinition& definition, const MonitorState& state,
                      const Heartbeat& heartbeat) {
  const Schedule& schedule = definition.schedule;
  int wrong = 0;
  for (int n = state.misses; n > 0; --n) {
    absl::Time deadline;
    absl::Time from = absl::InfinitePast();
    if (schedule.cron.has_value()) {
      const absl::Time credit =
          state.credit_at == absl::InfinitePast() ? state.last_at : state.credit_at;
      const absl::Time after = std::max({state.armed_at, state.floor_at, state.excused_at});
      const absl::Time fire = ExpectedFire(*schedule.cron, credit, after, n);
      deadline = fire + schedule.grace;
      from = fire - EarlyTolerance(*schedule.cron, fire);
    } else {
      const absl::Time base = std::max({state.last_at, state.credit_at, state.armed_at});
      deadline = base + n * schedule.timeout + schedule.grace;
    }
    if (heartbeat.at > deadline) break;  // as it is of all before
    if (heartbeat.at >= from) ++wrong;
  }
  return wrong;
}

}  // namespace tocsin::core
