// By when a job that has fallen silent is noticed.
#include "tests/simulation/promise.h"

#include <algorithm>

#include "tests/scenarios/world.h"

namespace tocsin::core::simulation {
namespace {

using scenarios::kNoticeTime;
using scenarios::kRestAfterOutage;

// The latest end of those that overlap [from, until]; InfinitePast: there is none.
absl::Time LastEnd(const GapList& disturbed, absl::Time from, absl::Time until) {
  absl::Time end = absl::InfinitePast();
  for (const Gap& each : disturbed) {
    if (each.start <= until && each.end >= from) end = std::max(end, each.end);
  }
  return end;
}

absl::Duration Early(const CronRule& rule, absl::Time fire) {
  if (rule.early_tolerance.has_value()) return *rule.early_tolerance;
  const absl::Time before = rule.expression.Previous(fire - absl::Nanoseconds(1), rule.zone);
  return std::min(absl::Minutes(1), (fire - before) / 10);
}

NextMiss OfTimeout(const Schedule& schedule, const MonitorState& state, const GapList& disturbed) {
  const absl::Time base = std::max({state.last_at, state.credit_at, state.armed_at});
  const absl::Time plain =
      std::max(base + (state.misses + 1) * schedule.timeout + schedule.grace, state.floor_at);
  // Its next heartbeat was not to come sooner, if its rhythm is known.
  absl::Time from = base + schedule.recommended_interval / 2;
  const absl::Time changed_at = state.floor_at - schedule.timeout;
  if (changed_at > base) from = std::min(from, changed_at);
  if (state.armed_at > state.last_at) from = base;
  const absl::Time end = LastEnd(disturbed, from, plain);
  return {.at = std::max(plain, end + schedule.recommended_interval + schedule.grace), .fire = {}};
}

NextMiss OfCron(const Schedule& schedule, const MonitorState& state, const GapList& disturbed) {
  const CronRule& rule = *schedule.cron;
  const auto after = [&rule](absl::Time at) { return rule.expression.Next(at, rule.zone); };
  const bool credited = state.credit_at != absl::InfinitePast();
  const absl::Time satisfied = credited ? state.credit_at : state.last_at;
  absl::Time fire = after(std::max({satisfied, state.armed_at, state.floor_at, state.excused_at}));
  while (fire - Early(rule, fire) <= satisfied) fire = after(fire);
  for (int i = 0; i < state.misses; ++i) fire = after(fire);
  NextMiss miss = {.at = fire + schedule.grace, .fire = fire};
  const absl::Time end = LastEnd(disturbed, fire - Early(rule, fire), miss.at);
  if (end == absl::InfinitePast()) return miss;
  miss.at = std::max(miss.at, end + schedule.grace);
  const bool stands = state.excused_at > std::max(state.last_at, state.armed_at) &&
                      state.excused_at - Early(rule, state.excused_at) > satisfied;
  miss.excused = !stands;
  for (absl::Time next = fire; next - Early(rule, next) <= end; next = after(next)) {
    miss.fire = next;
  }
  return miss;
}

}  // namespace

NextMiss NextMissOf(const MonitorDefinition& definition, const MonitorState& state,
                    const GapList& disturbed) {
  NextMiss first = {.at = absl::InfiniteFuture(), .fire = {}};
  for (const Run& run : state.runs) {
    if (!run.open() || !run.has_limit()) continue;
    const absl::Time end = LastEnd(disturbed, run.started_at, run.due_at);
    first.at = std::min(first.at, std::max(run.due_at, end + (run.due_at - run.started_at)));
    first.of_run = true;
  }
  if (first.of_run) return first;
  return definition.schedule.cron.has_value() ? OfCron(definition.schedule, state, disturbed)
                                              : OfTimeout(definition.schedule, state, disturbed);
}

absl::Time FloorAfterChange(const Schedule& before, const Schedule& after,
                            const MonitorState& state, absl::Time now) {
  if (!before.cron.has_value() || !after.cron.has_value() || after.grace < before.grace) {
    return now + after.timeout;
  }
  if (std::max(state.last_at, state.armed_at) == absl::InfinitePast()) return now;
  const CronRule& rule = *after.cron;
  const bool same = rule.expression == before.cron->expression;
  const absl::Time fire =
      same ? OfCron(after, state, {}).fire : rule.expression.Previous(now, rule.zone);
  const absl::Time satisfied =
      state.credit_at != absl::InfinitePast() ? state.credit_at : state.last_at;
  const absl::Time just_before = fire - absl::Microseconds(1);
  const bool expected = fire <= now && fire >= OfCron(before, state, {}).fire &&
                        before.cron->expression.Next(just_before, before.cron->zone) == fire &&
                        fire - Early(rule, fire) > satisfied &&
                        Early(rule, fire) >= Early(*before.cron, fire);
  return expected ? just_before : now;
}

absl::Time DownBy(const MonitorDefinition& definition, MonitorState state, const GapList& disturbed,
                  absl::Time since) {
  const Schedule& schedule = definition.schedule;
  int failures = 0;
  while (true) {
    const NextMiss miss = NextMissOf(definition, state, disturbed);
    if (miss.excused) {
      state.excused_at = miss.fire;
      continue;
    }
    if (++failures >= definition.failure_threshold && miss.at >= since) return miss.at;
    // The next one of a run's monitor is of the schedule.
    if (miss.of_run) state.runs.clear();
    if (!schedule.cron.has_value()) {
      state.floor_at = std::max(state.floor_at, miss.at + schedule.timeout);
    } else {
      const absl::Time waited = miss.at - schedule.grace;
      state.floor_at = std::max({state.floor_at, waited, miss.of_run ? waited : miss.fire});
    }
  }
}

absl::Time NoticedBy(absl::Time at, const GapList& outages) {
  GapList ordered = outages;
  std::sort(ordered.begin(), ordered.end(),
            [](const Gap& a, const Gap& b) { return a.start < b.start; });
  for (const Gap& outage : ordered) {
    if (outage.start <= at + kNoticeTime) at = std::max(at, outage.end + kRestAfterOutage);
  }
  return at + kNoticeTime;
}

}  // namespace tocsin::core::simulation
