// The one formula for the deadline, used by writer, sweeper and reader.
#include "services/core/domain/deadline.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "services/core/domain/fire_times.h"

namespace tocsin::core {
namespace {

bool IsWatched(const MonitorDefinition& definition, const MonitorState& state) {
  return !definition.deleted_at.has_value() && state.state != State::kPaused;
}

// Whether the schedule is: a monitor that is DOWN waits for no heartbeat before it had one.
bool ScheduleCounts(const MonitorState& state) {
  return state.state != State::kDown || state.successes > 0;
}

// A monitor that was never heard may be about to push over HTTP, so only a known other door
// exempts it from what happened to the gateways.
bool Touches(const Gap& gap, const MonitorState& state) {
  if (gap.kind == GapKind::kMute) return false;
  return gap.kind == GapKind::kCore || gap.kind == GapKind::kMaintenance ||
         state.last_source != Source::kGrpc;
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

// The last gap that overlaps [from, until].
std::optional<Gap> LastGap(const GapList& gaps, const MonitorState& state, absl::Time from,
                           absl::Time until) {
  std::optional<Gap> last;
  for (auto gap = gaps.rbegin(); gap != gaps.rend() && gap->end >= from; ++gap) {
    if (gap->start > until || !Touches(*gap, state)) continue;
    last = *gap;
    break;  // the list is in order of end
  }
  return last;
}

Deadline OfHeartbeatSchedule(const Schedule& schedule, const MonitorState& state,
                             const GapList& gaps) {
  Deadline deadline;
  const absl::Time base = std::max({state.last_at, state.credit_at, state.armed_at});
  if (base == absl::InfinitePast()) return deadline;
  const absl::Duration allowed = (state.misses + 1) * schedule.timeout + schedule.grace;
  deadline.plain = std::max(base + allowed, state.floor_at);
  deadline.expected_at = deadline.plain - schedule.grace;
  deadline.at = deadline.plain;
  const std::optional<Gap> swallowing =
      LastGap(gaps, state, SwallowedFrom(schedule, state, base), deadline.plain);
  if (swallowing.has_value()) {
    deadline.unverified = deadline.swallowed = swallowing->kind != GapKind::kMaintenance;
    deadline.at =
        std::max(deadline.plain, swallowing->end + schedule.recommended_interval + schedule.grace);
  }
  return deadline;
}

bool IsOutage(const std::optional<Gap>& gap) {
  return gap.has_value() && gap->kind != GapKind::kMaintenance;
}

// Whether nothing came since the fire time that was excused last, nor early for it, and nobody
// resumed.
bool ExcuseStands(const CronRule& rule, const MonitorState& state, absl::Time credit) {
  const absl::Time excused = state.excused_at;
  return excused > std::max(state.last_at, state.armed_at) &&
         excused - EarlyTolerance(rule, excused) > credit;
}

// When the schedule was satisfied last.
absl::Time CreditOf(const MonitorState& state) {
  return state.credit_at == absl::InfinitePast() ? state.last_at : state.credit_at;
}

// F of the formula, whatever the state is otherwise. InfiniteFuture when nothing fires, or the
// monitor was neither heard nor armed.
absl::Time PendingFire(const CronRule& rule, const MonitorState& state) {
  const absl::Time credit = CreditOf(state);
  if (credit == absl::InfinitePast() && state.armed_at == absl::InfinitePast()) {
    return absl::InfiniteFuture();
  }
  const absl::Time after = std::max({state.armed_at, state.floor_at, state.excused_at});
  return ExpectedFire(rule, credit, after, state.misses + 1);
}

Deadline OfCron(const Schedule& schedule, const MonitorState& state, const GapList& gaps) {
  Deadline deadline;
  const CronRule& rule = *schedule.cron;
  const absl::Time fire = PendingFire(rule, state);
  if (fire == absl::InfiniteFuture()) return deadline;
  const bool excused_before = ExcuseStands(rule, state, CreditOf(state));
  deadline.expected_at = fire;
  deadline.plain = fire + schedule.grace;
  deadline.at = deadline.plain;
  const std::optional<Gap> swallowing =
      LastGap(gaps, state, fire - EarlyTolerance(rule, fire), deadline.plain);
  if (swallowing.has_value()) {
    deadline.at = std::max(deadline.plain, swallowing->end + schedule.grace);
    deadline.excused = !excused_before;
    if (deadline.excused) deadline.outage_end = swallowing->end;
  }
  deadline.swallowed = IsOutage(swallowing);
  deadline.unverified = excused_before || deadline.swallowed;
  if (excused_before && !deadline.swallowed) {
    const absl::Time excused = state.excused_at;
    deadline.swallowed = IsOutage(
        LastGap(gaps, state, excused - EarlyTolerance(rule, excused), excused + schedule.grace));
  }
  return deadline;
}

Deadline OfRun(const Run& run, const MonitorState& state, const GapList& gaps) {
  Deadline deadline;
  deadline.cause = Cause::kRunOverran;
  deadline.run_id = run.id;
  deadline.plain = run.due_at;
  deadline.expected_at = run.due_at;
  deadline.at = deadline.plain;
  const std::optional<Gap> swallowing = LastGap(gaps, state, run.started_at, deadline.plain);
  if (swallowing.has_value()) {
    deadline.unverified = deadline.swallowed = swallowing->kind != GapKind::kMaintenance;
    deadline.at = std::max(deadline.plain, swallowing->end + (run.due_at - run.started_at));
  }
  return deadline;
}

// Of the runs with a limit that are open, the one that is due first; nullopt: there is none.
std::optional<Deadline> OfRuns(const MonitorState& state, const GapList& gaps) {
  std::optional<Deadline> first;
  for (const Run& run : state.runs) {
    if (!run.open() || !run.has_limit()) continue;
    Deadline deadline = OfRun(run, state, gaps);
    if (!first.has_value() || deadline.at < first->at) first = std::move(deadline);
  }
  return first;
}

}  // namespace

namespace {

bool IsOutlastedByOne(const MonitorDefinition& definition, const MonitorState& state,
                      const Gap& gap) {
  if (std::max(definition.created_at, state.armed_at) >= gap.start) return false;
  // It was down in it, and waited for nothing.
  if (!state.transitions.empty() && state.transitions.back() >= gap.start) return false;
  const Schedule& schedule = definition.schedule;
  if (!schedule.cron.has_value()) {
    return gap.start + schedule.timeout + schedule.grace < gap.end;
  }
  const CronRule& rule = *schedule.cron;
  absl::Time fire = rule.expression.Next(gap.start, rule.zone);
  // A heartbeat from before the gap may have satisfied it.
  if (fire != absl::InfiniteFuture() && fire - EarlyTolerance(rule, fire) <= gap.start) {
    fire = rule.expression.Next(fire, rule.zone);
  }
  return fire + schedule.grace < gap.end;
}

}  // namespace

std::optional<absl::Time> KeptFire(const Schedule& replaced, const Schedule& schedule,
                                   const MonitorState& state, absl::Time now) {
  if (!schedule.cron.has_value() || !replaced.cron.has_value() || schedule.grace < replaced.grace) {
    return std::nullopt;
  }
  const CronRule& rule = *schedule.cron;
  const CronRule& before = *replaced.cron;
  const bool same = rule.expression == before.expression && rule.zone.name() == before.zone.name();
  // Nothing ran for what the new one alone fires in: after the one that is kept it has no other.
  const absl::Time fire =
      same ? PendingFire(rule, state) : rule.expression.Previous(now, rule.zone);
  const bool pending = fire <= now && fire >= PendingFire(before, state) &&
                       before.expression.Previous(fire, before.zone) == fire;
  if (!pending) return std::nullopt;
  // What lost its heartbeat before the change would excuse it after that, too.
  const bool excused_alike = EarlyTolerance(rule, fire) >= EarlyTolerance(before, fire);
  const bool satisfied = fire - EarlyTolerance(rule, fire) <= CreditOf(state);
  return excused_alike && !satisfied ? std::optional(fire) : std::nullopt;
}

bool IsOutlastedBy(const MonitorDefinition& definition, const MonitorState& state,
                   const GapList& gaps) {
  if (!IsWatched(definition, state)) return false;
  std::optional<Gap> whole;
  for (const Gap& gap : gaps) {
    if (gap.kind == GapKind::kShed || !Touches(gap, state)) continue;
    // By itself, too: it may have been resumed, or recovered, in the one before.
    if (IsOutlastedByOne(definition, state, gap)) return true;
    if (whole.has_value() && gap.start <= whole->end) {
      whole->start = std::min(whole->start, gap.start);
      whole->end = std::max(whole->end, gap.end);
      continue;
    }
    if (whole.has_value() && IsOutlastedByOne(definition, state, *whole)) return true;
    whole = gap;
  }
  return whole.has_value() && IsOutlastedByOne(definition, state, *whole);
}

Deadline DeadlineOf(const MonitorDefinition& definition, const MonitorState& state,
                    const GapList& gaps) {
  if (!IsWatched(definition, state)) return Deadline();
  if (std::optional<Deadline> run = OfRuns(state, gaps)) return *std::move(run);
  if (!ScheduleCounts(state)) return Deadline();
  const Schedule& schedule = definition.schedule;
  return schedule.cron.has_value() ? OfCron(schedule, state, gaps)
                                   : OfHeartbeatSchedule(schedule, state, gaps);
}

}  // namespace tocsin::core
