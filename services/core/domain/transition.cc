// The state machine: one pure function, made of one small function for each input.
#include "services/core/domain/transition.h"

#include <algorithm>
#include <string>
#include <utility>

#include "services/core/domain/deadline.h"

namespace tocsin::core {
namespace {

// What every part of the decision is made from.
struct Facts {
  const MonitorDefinition& definition;
  const MonitorState& state;
  const GapList& gaps;
  absl::Time now;
};

Decision Unchanged(const MonitorState& state, Reason reason) {
  Decision decision;
  decision.next = state;
  decision.reason = reason;
  return decision;
}

bool EverPushed(const MonitorState& state) { return state.last_at != absl::InfinitePast(); }

void ForgetCounts(MonitorState& state) {
  state.failures = 0;
  state.successes = 0;
  state.misses = 0;
}

void NoteHeartbeat(MonitorState& state, const Heartbeat& heartbeat) {
  state.last_at = heartbeat.at;
  state.last_kind = heartbeat.kind;
  state.last_source = heartbeat.source;
  state.misses = 0;
}

void Open(Decision& decision, const Facts& facts, Cause cause, absl::Time at, std::string message) {
  Incident incident;
  incident.project = facts.definition.project;
  incident.monitor = facts.definition.key;
  incident.cause = cause;
  incident.opened_at = at;
  incident.detected_at = std::max(facts.now, at);
  incident.message = std::move(message);
  decision.next.state = State::kDown;
  decision.next.successes = 0;
  decision.next.sequence += 1;
  decision.next.incident = incident;
  decision.opened = std::move(incident);
}

// Closes the open incident, if there is one; the caller sets the next state.
void Close(Decision& decision, absl::Time at, Resolution resolution) {
  if (!decision.next.incident.has_value()) return;
  Incident incident = *std::move(decision.next.incident);
  decision.next.incident.reset();
  decision.next.sequence += 1;
  incident.closed_at = std::max(at, incident.opened_at);
  incident.resolution = resolution;
  decision.closed = std::move(incident);
}

// An up that was received in time for the deadline whose passing opened the incident: its commit
// was late. One that does not move the deadline (older than what the deadline counted from) is
// none, nor is one that a newer failure has overtaken.
bool ProvesIncidentWrong(const MonitorState& state, const Heartbeat& heartbeat) {
  if (!state.incident.has_value() || state.incident->cause != Cause::kMissedDeadline) return false;
  const absl::Time deadline = state.incident->opened_at;
  if (heartbeat.at > deadline) return false;
  if (heartbeat.at > std::max(state.last_at, state.armed_at)) return true;
  return state.last_at > deadline && state.last_kind == HeartbeatKind::kUp;
}

Decision OnLateUp(const Facts& facts, const Heartbeat& heartbeat) {
  Decision decision = Unchanged(facts.state, Reason::kLateHeartbeat);
  if (heartbeat.at >= facts.state.last_at) NoteHeartbeat(decision.next, heartbeat);
  // There was no outage: the incident ends where it began.
  Close(decision, facts.state.incident->opened_at, Resolution::kLateHeartbeat);
  decision.withdraw_unsent_firing = true;
  decision.next.state = State::kUp;
  ForgetCounts(decision.next);
  return decision;
}

Decision OnUpWhileDown(const Facts& facts, const Heartbeat& heartbeat) {
  if (ProvesIncidentWrong(facts.state, heartbeat)) return OnLateUp(facts, heartbeat);
  // What was received before a missed deadline and does not move it cannot end its incident.
  if (heartbeat.at < facts.state.last_at ||
      (facts.state.incident.has_value() && heartbeat.at < facts.state.incident->opened_at)) {
    return Unchanged(facts.state, Reason::kStale);
  }
  Decision decision = Unchanged(facts.state, Reason::kCounted);
  NoteHeartbeat(decision.next, heartbeat);
  decision.next.failures = 0;
  decision.next.successes += 1;
  if (decision.next.successes < facts.definition.recovery_threshold) return decision;
  decision.reason = Reason::kRecovered;
  Close(decision, heartbeat.at, Resolution::kRecovered);
  decision.next.state = State::kUp;
  ForgetCounts(decision.next);
  return decision;
}

Decision OnUp(const Facts& facts, const Heartbeat& heartbeat) {
  if (facts.state.state == State::kDown) return OnUpWhileDown(facts, heartbeat);
  if (heartbeat.at < facts.state.last_at) return Unchanged(facts.state, Reason::kStale);
  Decision decision = Unchanged(
      facts.state, facts.state.state == State::kNew ? Reason::kFirstHeartbeat : Reason::kRecorded);
  NoteHeartbeat(decision.next, heartbeat);
  decision.next.state = State::kUp;
  ForgetCounts(decision.next);
  return decision;
}

Decision OnDown(const Facts& facts, const Heartbeat& heartbeat) {
  if (heartbeat.at < facts.state.last_at) return Unchanged(facts.state, Reason::kStale);
  Decision decision = Unchanged(facts.state, Reason::kCounted);
  NoteHeartbeat(decision.next, heartbeat);
  decision.next.failures += 1;
  decision.next.successes = 0;
  if (facts.state.state == State::kDown) {
    decision.reason = Reason::kStillDown;
    if (decision.next.incident.has_value() && !heartbeat.message.empty() &&
        decision.next.incident->message != heartbeat.message) {
      decision.next.incident->message = heartbeat.message;
      decision.message_changed = true;
    }
    return decision;
  }
  if (decision.next.failures < facts.definition.failure_threshold) return decision;
  decision.reason = Reason::kReportedDown;
  Open(decision, facts, Cause::kReportedDown, heartbeat.at, heartbeat.message);
  return decision;
}

// A never pushed monitor stays NEW, and alerts only when its owner asked for that.
MonitorState Watched(const Facts& facts, absl::Time at) {
  MonitorState next = facts.state;
  ForgetCounts(next);
  next.state = EverPushed(next) ? State::kUp : State::kNew;
  const bool armed = next.state == State::kUp || facts.definition.arm_on_create;
  next.armed_at = armed ? at : absl::InfinitePast();
  return next;
}

Decision OnHeartbeat(const Facts& facts, const Heartbeat& heartbeat);

Decision OnHeartbeatWhilePaused(const Facts& facts, const Heartbeat& heartbeat) {
  const bool resumes = facts.definition.resume_on_heartbeat && !facts.definition.deleted_at &&
                       heartbeat.kind != HeartbeatKind::kLog &&
                       // Received before the pause, committed after it.
                       heartbeat.at >= facts.state.armed_at && heartbeat.at >= facts.state.last_at;
  if (!resumes) return Unchanged(facts.state, Reason::kStoredPaused);
  const MonitorState watched = Watched(facts, heartbeat.at);
  Decision decision =
      OnHeartbeat(Facts{facts.definition, watched, facts.gaps, facts.now}, heartbeat);
  if (decision.reason == Reason::kRecorded || decision.reason == Reason::kRunStarted) {
    decision.reason = Reason::kResumed;
  }
  return decision;
}

Decision OnHeartbeat(const Facts& facts, const Heartbeat& heartbeat) {
  if (facts.state.state == State::kPaused) return OnHeartbeatWhilePaused(facts, heartbeat);
  switch (heartbeat.kind) {
    case HeartbeatKind::kUp:
      return OnUp(facts, heartbeat);
    case HeartbeatKind::kDown:
      return OnDown(facts, heartbeat);
    case HeartbeatKind::kStart:
      return Unchanged(facts.state, Reason::kRunStarted);
    case HeartbeatKind::kLog:
      return Unchanged(facts.state, Reason::kLogged);
  }
  return Unchanged(facts.state, Reason::kNothingToDo);
}

Decision OnDeadlineChecked(const Facts& facts) {
  const Deadline deadline = DeadlineOf(facts.definition, facts.state, facts.gaps);
  if (facts.now <= deadline.at) return Unchanged(facts.state, Reason::kNotDue);
  Decision decision = Unchanged(facts.state, Reason::kCounted);
  decision.next.failures += 1;
  decision.next.misses += 1;
  decision.next.successes = 0;
  if (facts.state.state == State::kDown) {
    decision.reason = Reason::kStillDown;
    return decision;
  }
  if (decision.next.failures < facts.definition.failure_threshold) {
    // One timeout lies between two misses, also after a deadline that was postponed.
    const absl::Time next_miss = deadline.at + facts.definition.schedule.timeout;
    if (next_miss > DeadlineOf(facts.definition, decision.next, {}).plain) {
      decision.next.floor_at = next_miss;
    }
    return decision;
  }
  decision.reason = Reason::kMissed;
  decision.expected_at = deadline.expected_at;
  Open(decision, facts, deadline.cause, deadline.at, "");
  return decision;
}

// Stops watching. armed_at then says since when, see MonitorState.
void Rest(Decision& decision, const Facts& facts, Resolution resolution) {
  Close(decision, facts.now, resolution);
  ForgetCounts(decision.next);
  decision.next.open_runs = 0;
  decision.next.state = State::kPaused;
  decision.next.armed_at = facts.now;
}

Decision OnPaused(const Facts& facts) {
  if (facts.state.state == State::kPaused) return Unchanged(facts.state, Reason::kNothingToDo);
  Decision decision = Unchanged(facts.state, Reason::kPaused);
  Rest(decision, facts, Resolution::kPaused);
  return decision;
}

Decision OnResumed(const Facts& facts) {
  if (facts.state.state != State::kPaused || facts.definition.deleted_at.has_value()) {
    return Unchanged(facts.state, Reason::kNothingToDo);
  }
  return Unchanged(Watched(facts, facts.now), Reason::kResumed);
}

Decision OnReconfigured(const Facts& facts, const Reconfigured& change) {
  Decision decision = Unchanged(facts.state, Reason::kReconfigured);
  MonitorState& next = decision.next;
  if (change.schedule_changed) next.floor_at = facts.now + facts.definition.schedule.timeout;
  if (next.state == State::kNew && !EverPushed(next)) {
    const bool armed = next.armed_at != absl::InfinitePast();
    if (facts.definition.arm_on_create && !armed) next.armed_at = facts.now;
    if (!facts.definition.arm_on_create && armed) next.armed_at = absl::InfinitePast();
  }
  return decision;
}

Decision OnDeleted(const Facts& facts) {
  Decision decision = Unchanged(facts.state, Reason::kDeleted);
  Rest(decision, facts, Resolution::kDeleted);
  return decision;
}

Decision OnUndeleted(const Facts& facts) {
  Decision decision = Unchanged(facts.state, Reason::kUndeleted);
  Rest(decision, facts, Resolution::kDeleted);
  return decision;
}

struct Decider {
  const Facts& facts;

  Decision operator()(const HeartbeatArrived& input) const {
    return OnHeartbeat(facts, input.heartbeat);
  }
  Decision operator()(const DeadlineChecked&) const { return OnDeadlineChecked(facts); }
  Decision operator()(const Paused&) const { return OnPaused(facts); }
  Decision operator()(const Resumed&) const { return OnResumed(facts); }
  Decision operator()(const Reconfigured& input) const { return OnReconfigured(facts, input); }
  Decision operator()(const Deleted&) const { return OnDeleted(facts); }
  Decision operator()(const Undeleted&) const { return OnUndeleted(facts); }
};

// When what was decided happened: an outage begins with its deadline, a recovery with its
// heartbeat.
absl::Time HappenedAt(const Decision& decision, const Input& input, absl::Time now) {
  if (decision.opened.has_value()) return decision.opened->opened_at;
  const auto* arrived = std::get_if<HeartbeatArrived>(&input);
  return arrived == nullptr ? now : arrived->heartbeat.at;
}

}  // namespace

Decision Decide(const MonitorDefinition& definition, const MonitorState& state, const Input& input,
                const GapList& gaps, absl::Time now) {
  Decision decision = std::visit(Decider{Facts{definition, state, gaps, now}}, input);
  if (decision.next.state != state.state) {
    decision.next.changed_at = std::max(state.changed_at, HappenedAt(decision, input, now));
  }
  return decision;
}

absl::Time SweepAt(const MonitorDefinition& definition, const MonitorState& state) {
  return DeadlineOf(definition, state, {}).at;
}

bool IsSteadyUp(const MonitorState& state, const Heartbeat& heartbeat) {
  return heartbeat.kind == HeartbeatKind::kUp && heartbeat.run_id.empty() &&
         state.state == State::kUp && state.open_runs == 0 && state.failures == 0 &&
         state.misses == 0 && heartbeat.at >= state.last_at;
}

}  // namespace tocsin::core
