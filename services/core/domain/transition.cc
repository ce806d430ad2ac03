// The state machine: one pure function, made of one small function for each input.
#include "services/core/domain/transition.h"

#include <algorithm>
#include <string>
#include <utility>

#include "services/core/domain/deadline.h"
#include "services/core/domain/fire_times.h"
#include "services/core/domain/flapping.h"
#include "services/core/domain/late_heartbeat.h"

namespace tocsin::core {
namespace {

// What every part of the decision is made from.
struct Facts {
  const MonitorDefinition& definition;
  const MonitorState& state;
  const GapList& gaps;
  absl::Time now;
  const Run* ended_run = nullptr;  // that the heartbeat ends; no more in state.runs
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

// What satisfied the schedule last.
absl::Time CreditOf(const MonitorState& state) {
  return state.credit_at == absl::InfinitePast() ? state.last_at : state.credit_at;
}

void NoteHeartbeat(MonitorState& state, const Heartbeat& heartbeat) {
  state.last_at = heartbeat.at;
  state.credit_at = absl::InfinitePast();
  state.last_kind = heartbeat.kind;
  state.last_source = heartbeat.source;
  state.misses = 0;
}

// The end of an incident that was told, and closed while the monitor flapped.
void TellUntoldEnd(Decision& decision) {
  if (!decision.next.untold_end.has_value()) return;
  decision.told_end = std::exchange(decision.next.untold_end, std::nullopt);
  decision.next.sequence += 1;
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
  const bool flaps = SteadyAt(decision.next, at).has_value();
  NoteTransition(decision.next, at);
  incident.held_until = SilentUntil(decision.next, facts.gaps, facts.now);
  if (!flaps || !incident.held_until.has_value()) TellUntoldEnd(decision);
  if (!incident.held_until.has_value()) {
    decision.next.sequence += 1;
    // This one is told, and says so; what follows is not.
    if (ChangesTooOften(decision.next))
      decision.next.flapping_since = decision.next.transitions.back();
  }
  decision.next.incident = incident;
  decision.opened = std::move(incident);
}

// Closes the open incident, if there is one; the caller sets the next state.
void Close(Decision& decision, const Facts& facts, absl::Time at, Resolution resolution) {
  if (!decision.next.incident.has_value()) return;
  Incident incident = *std::move(decision.next.incident);
  decision.next.incident.reset();
  incident.closed_at = std::max(at, incident.opened_at);
  incident.resolution = resolution;
  if (resolution == Resolution::kRecovered) NoteTransition(decision.next, *incident.closed_at);
  if (resolution == Resolution::kLateHeartbeat) ForgetTransition(decision.next);
  const bool told = !incident.held_until.has_value();
  // A core of the release before told this one, too.
  const bool another = decision.next.untold_end.has_value();
  if (told && !another && resolution == Resolution::kRecovered &&
      SteadyAt(decision.next, facts.now)) {
    decision.next.untold_end = incident.key;
  } else if (told) {
    decision.next.sequence += 1;
  }
  decision.closed = std::move(incident);
}

Decision OnLateUp(const Facts& facts, const Heartbeat& heartbeat) {
  Decision decision = Unchanged(facts.state, Reason::kLateHeartbeat);
  if (heartbeat.at >= facts.state.last_at) NoteHeartbeat(decision.next, heartbeat);
  // There was no outage: the incident ends where it began.
  Close(decision, facts, facts.state.incident->opened_at, Resolution::kLateHeartbeat);
  decision.withdraw_unsent_firing = true;
  decision.next.state = State::kUp;
  ForgetCounts(decision.next);
  return decision;
}

Decision OnUpWhileDown(const Facts& facts, const Heartbeat& heartbeat) {
  if (ProvesIncidentWrong(facts.definition, facts.state, heartbeat, facts.ended_run)) {
    return OnLateUp(facts, heartbeat);
  }
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
  Close(decision, facts, heartbeat.at, Resolution::kRecovered);
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

// A down, or an up whose value is out of range.
Decision OnFailure(const Facts& facts, const Heartbeat& heartbeat) {
  if (heartbeat.at < facts.state.last_at) return Unchanged(facts.state, Reason::kStale);
  Decision decision = Unchanged(facts.state, Reason::kCounted);
  const int wrong = MissesProvedWrong(facts.definition, facts.state, heartbeat);
  NoteHeartbeat(decision.next, heartbeat);
  decision.next.failures = std::max(decision.next.failures - wrong, 0) + 1;
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
  const bool reported = heartbeat.kind == HeartbeatKind::kDown;
  decision.reason = reported ? Reason::kReportedDown : Reason::kOutOfRange;
  Open(decision, facts, reported ? Cause::kReportedDown : Cause::kValueOutOfRange, heartbeat.at,
       heartbeat.message);
  return decision;
}

bool IsEnd(const Heartbeat& heartbeat) {
  return heartbeat.kind == HeartbeatKind::kUp || heartbeat.kind == HeartbeatKind::kDown;
}

// What the schedule gains by a run that has ended with `heartbeat`. `before` is the credit until
// then.
void CreditRun(MonitorState& next, const Facts& facts, absl::Time before, const Run& run,
               const Heartbeat& heartbeat) {
  const Schedule& schedule = facts.definition.schedule;
  if (!schedule.cron.has_value()) return;
  next.credit_at = std::max(before, run.started_at);
  next.floor_at = std::max(next.floor_at, heartbeat.at - schedule.grace);
}

// An up or a down, which may be the end of a run.
Decision OnEnd(const Facts& facts, const Heartbeat& heartbeat) {
  MonitorState state = facts.state;
  const std::optional<Run> run = TakeRun(state.runs, heartbeat);
  const Facts rest{facts.definition, state, facts.gaps, facts.now, run ? &*run : nullptr};
  const bool failed =
      heartbeat.kind == HeartbeatKind::kDown || !IsValueInRange(facts.definition, heartbeat);
  Decision decision = failed ? OnFailure(rest, heartbeat) : OnUp(rest, heartbeat);
  decision.ended_run = heartbeat.run_id;
  if (!run.has_value()) return decision;
  decision.run_duration = heartbeat.at - run->started_at;
  if (decision.reason == Reason::kStale) {
    decision.reason = Reason::kRunEnded;
  } else if (decision.next.last_at == heartbeat.at) {
    CreditRun(decision.next, facts, CreditOf(facts.state), *run, heartbeat);
  }
  return decision;
}

Decision OnStart(const Facts& facts, const HeartbeatArrived& input) {
  const Heartbeat& heartbeat = input.heartbeat;
  const bool named = !heartbeat.run_id.empty();
  if (input.run_ended || (!named && heartbeat.at < facts.state.last_at)) {
    return Unchanged(facts.state, Reason::kStale);
  }
  Decision decision = Unchanged(facts.state, Reason::kRunStarted);
  MonitorState& next = decision.next;
  if (const auto known = FindRun(next.runs, heartbeat.run_id); known != next.runs.end()) {
    if (named) return decision;
    if (heartbeat.at < known->started_at) return Unchanged(facts.state, Reason::kStale);
    next.runs.erase(known);
  }
  if (!MakeRoom(next.runs)) return Unchanged(facts.state, Reason::kTooManyRuns);
  Run run = {.id = heartbeat.run_id, .started_at = heartbeat.at};
  if (facts.definition.max_run_duration > absl::ZeroDuration()) {
    run.due_at = heartbeat.at + facts.definition.max_run_duration;
    // The job did start.
    if (heartbeat.at > CreditOf(next)) {
      next.credit_at = heartbeat.at;
      next.misses = 0;
    }
  }
  const auto later = std::find_if(next.runs.begin(), next.runs.end(), [&run](const Run& other) {
    return other.started_at > run.started_at;
  });
  next.runs.insert(later, std::move(run));
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

Decision OnHeartbeat(const Facts& facts, const HeartbeatArrived& input);

Decision OnHeartbeatWhilePaused(const Facts& facts, const HeartbeatArrived& input) {
  const Heartbeat& heartbeat = input.heartbeat;
  const bool resumes = facts.definition.resume_on_heartbeat && !facts.definition.deleted_at &&
                       heartbeat.kind != HeartbeatKind::kLog &&
                       // Received before the pause, committed after it.
                       heartbeat.at >= facts.state.armed_at && heartbeat.at >= facts.state.last_at;
  if (!resumes) {
    Decision decision = Unchanged(facts.state, Reason::kStoredPaused);
    if (IsEnd(heartbeat)) decision.ended_run = heartbeat.run_id;
    return decision;
  }
  const MonitorState watched = Watched(facts, heartbeat.at);
  Decision decision = OnHeartbeat(Facts{facts.definition, watched, facts.gaps, facts.now}, input);
  // Also the start of a run that has ended, which changes nothing else.
  if (decision.reason == Reason::kRecorded || decision.reason == Reason::kRunStarted ||
      decision.reason == Reason::kStale) {
    decision.reason = Reason::kResumed;
  }
  return decision;
}

Decision OnHeartbeat(const Facts& facts, const HeartbeatArrived& input) {
  if (facts.state.state == State::kPaused) return OnHeartbeatWhilePaused(facts, input);
  switch (input.heartbeat.kind) {
    case HeartbeatKind::kUp:
    case HeartbeatKind::kDown:
      return OnEnd(facts, input.heartbeat);
    case HeartbeatKind::kStart:
      return OnStart(facts, input);
    case HeartbeatKind::kLog:
      return Unchanged(facts.state, Reason::kLogged);
  }
  return Unchanged(facts.state, Reason::kNothingToDo);
}

// Below the threshold: from when on the schedule counts again. One timeout lies between two misses,
// also after a deadline that was postponed or that of a run.
void RearmAfterMiss(MonitorState& next, const Facts& facts, const Deadline& missed) {
  const Schedule& schedule = facts.definition.schedule;
  if (schedule.cron.has_value()) {
    const bool of_run = missed.cause == Cause::kRunOverran;
    if (!of_run && missed.at == missed.plain) return;
    // What fired before, and whose grace is over, was not waited for.
    next.floor_at = std::max(next.floor_at, missed.at - schedule.grace);
    next.misses = 0;
    return;
  }
  const absl::Time next_miss = missed.at + schedule.timeout;
  if (next_miss > DeadlineOf(facts.definition, next, {}).plain) next.floor_at = next_miss;
}

Decision OnDeadlinePassed(const Facts& facts, const Deadline& deadline) {
  Decision decision = Unchanged(facts.state, Reason::kCounted);
  MonitorState& next = decision.next;
  if (deadline.excused) {
    decision.reason = Reason::kExcused;
    next.excused_at = LastFireSwallowed(*facts.definition.schedule.cron, deadline.expected_at,
                                        deadline.outage_end, facts.now);
    next.misses = 0;
    return decision;
  }
  const bool of_run = deadline.cause == Cause::kRunOverran;
  if (of_run) {
    for (Run& run : next.runs) {
      if (run.id != deadline.run_id) continue;
      run.overran = true;
      decision.overran = run;
    }
  } else {
    next.misses += 1;
  }
  next.failures += 1;
  next.successes = 0;
  if (facts.state.state == State::kDown) {
    decision.reason = Reason::kStillDown;
    return decision;
  }
  if (next.failures < facts.definition.failure_threshold) {
    RearmAfterMiss(next, facts, deadline);
    return decision;
  }
  decision.reason = of_run ? Reason::kRunOverran : Reason::kMissed;
  decision.expected_at = deadline.expected_at;
  Open(decision, facts, deadline.cause, deadline.at, "");
  return decision;
}

Decision OnHoldEnded(const Facts& facts) {
  Decision decision = Unchanged(facts.state, Reason::kToldAfterHold);
  Incident& incident = *decision.next.incident;
  // Another window may have opened, or this one be longer than it was.
  incident.held_until = SilentUntil(facts.state, facts.gaps, facts.now);
  if (incident.held_until.has_value()) {
    decision.reason = Reason::kHeldBack;
    decision.incident_changed = true;
    return decision;
  }
  // A reminder right after it would say the same again.
  incident.reminded_at = facts.now;
  decision.next.sequence += 1;
  decision.told = true;
  return decision;
}

Decision OnSteady(const Facts& facts) {
  Decision decision = Unchanged(facts.state, Reason::kToldAfterHold);
  TellUntoldEnd(decision);
  return decision;
}

Decision OnReminderDue(const Facts& facts) {
  if (SilentUntil(facts.state, facts.gaps, facts.now).has_value()) {
    Decision held = Unchanged(facts.state, Reason::kHeldBack);
    held.next.incident->reminded_at = facts.now;
    held.incident_changed = true;
    return held;
  }
  Decision decision = Unchanged(facts.state, Reason::kReminded);
  decision.next.incident->reminded_at = facts.now;
  decision.next.sequence += 1;
  decision.reminded = true;
  return decision;
}

Decision OnDeadlineChecked(const Facts& facts) {
  const Deadline deadline = DeadlineOf(facts.definition, facts.state, facts.gaps);
  if (facts.now > deadline.at) return OnDeadlinePassed(facts, deadline);
  if (facts.now >= TellAt(facts.definition, facts.state, facts.gaps, facts.now)) {
    if (facts.now >= UntoldEndAt(facts.state)) return OnSteady(facts);
    const bool held = facts.state.incident->held_until.has_value();
    return held ? OnHoldEnded(facts) : OnReminderDue(facts);
  }
  return Unchanged(facts.state, Reason::kNotDue);
}

// Stops watching. armed_at then says since when, see MonitorState.
void Rest(Decision& decision, const Facts& facts, Resolution resolution) {
  Close(decision, facts, facts.now, resolution);
  TellUntoldEnd(decision);
  ForgetCounts(decision.next);
  ForgetTransitions(decision.next);
  decision.next.runs.clear();
  decision.next.credit_at = absl::InfinitePast();
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
  if (change.replaced.has_value()) {
    const Schedule& schedule = facts.definition.schedule;
    const std::optional<absl::Time> kept =
        KeptFire(*change.replaced, schedule, facts.state, facts.now);
    // With cron the timeout is zero: what fires from now on is expected.
    next.floor_at = kept ? *kept - absl::Microseconds(1) : facts.now + schedule.timeout;
    next.misses = 0;
  }
  if (next.state == State::kNew && !EverPushed(next)) {
    const bool armed = next.armed_at != absl::InfinitePast();
    if (facts.definition.arm_on_create && !armed) {
      next.armed_at = facts.now;
      next.misses = 0;
    }
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

  Decision operator()(const HeartbeatArrived& input) const { return OnHeartbeat(facts, input); }
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
  MonitorState remembered = state;
  std::erase_if(remembered.runs, [now](const Run& run) { return !IsRemembered(run, now); });
  Decision decision = std::visit(Decider{Facts{definition, remembered, gaps, now}}, input);
  if (decision.next.state != state.state) {
    decision.next.changed_at = std::max(state.changed_at, HappenedAt(decision, input, now));
  }
  return decision;
}

absl::Time SweepAt(const MonitorDefinition& definition, const MonitorState& state) {
  const absl::Time deadline = DeadlineOf(definition, state, {}).at;
  // Until when it is held back is for the windows to say, which may have changed.
  if (HeldUntil(state) != absl::InfiniteFuture()) {
    return std::min(deadline, state.incident->detected_at);
  }
  return std::min({deadline, ReminderAt(definition, state), UntoldEndAt(state)});
}

bool IsValueInRange(const MonitorDefinition& definition, const Heartbeat& heartbeat) {
  if (!heartbeat.value.has_value()) return true;
  return *heartbeat.value >= definition.value_min.value_or(*heartbeat.value) &&
         *heartbeat.value <= definition.value_max.value_or(*heartbeat.value);
}

bool IsSteadyUp(const MonitorDefinition& definition, const MonitorState& state,
                const Heartbeat& heartbeat) {
  return heartbeat.kind == HeartbeatKind::kUp && heartbeat.run_id.empty() &&
         IsValueInRange(definition, heartbeat) && state.state == State::kUp && state.runs.empty() &&
         state.failures == 0 && state.misses == 0 && heartbeat.at >= state.last_at;
}

}  // namespace tocsin::core
