// What a monitor must be like.
#include "tests/simulation/twin.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "services/core/domain/deadline.h"
#include "services/core/domain/words.h"
#include "tests/scenarios/world.h"

namespace tocsin::core::simulation {
namespace {

using scenarios::Beginning;
using scenarios::kNoticeTime;
using scenarios::kRestAfterOutage;

constexpr int kLooked = 50;  // newest heartbeats among which a push is looked for

std::string Seconds(absl::Time at) {
  if (at == absl::InfinitePast()) return "never";
  return absl::FormatDuration(at - Beginning());
}

std::string Describe(const Incident& incident) {
  return absl::StrCat(std::string(CauseName(incident.cause)), " opened ",
                      Seconds(incident.opened_at), " detected ", Seconds(incident.detected_at),
                      " saying \"", incident.message, "\"");
}

void DescribeRun(std::string* out, const Run& run) {
  absl::StrAppend(out, run.id, " since ", Seconds(run.started_at), " until ",
                  run.has_limit() ? Seconds(run.due_at) : "never", run.overran ? " overran" : "");
}

// All of a state but the keys that only the store knows.
std::string Describe(const MonitorState& state) {
  return absl::StrCat(std::string(StateName(state.state)), " last ", Seconds(state.last_at),
                      " kind ", static_cast<int>(state.last_kind), " source ",
                      static_cast<int>(state.last_source), " armed ", Seconds(state.armed_at),
                      " floor ", Seconds(state.floor_at), " failures ", state.failures,
                      " successes ", state.successes, " misses ", state.misses, " credit ",
                      Seconds(state.credit_at), " excused ", Seconds(state.excused_at), " runs [",
                      absl::StrJoin(state.runs, ", ", DescribeRun), "] sequence ", state.sequence,
                      " ", state.incident.has_value() ? Describe(*state.incident) : "no incident");
}

}  // namespace

std::string EventWords(const Incident& incident) {
  if (!incident.resolution.has_value()) return "FIRING";
  return absl::StrCat("RESOLVED:", std::string(ResolutionName(*incident.resolution)));
}

Twin::Twin(Store& store, MonitorDefinition definition, std::vector<std::string>& faults)
    : store_(store), definition_(std::move(definition)), faults_(faults) {
  if (definition_.arm_on_create) state_.armed_at = definition_.created_at;
}

void Twin::Fault(const std::string& what, absl::Time now) {
  faults_.push_back(absl::StrCat(definition_.id, " at ", Seconds(now), ": ", what));
}

Monitor Twin::Stored() { return **store_.FindMonitor(definition_.project_id, definition_.id); }

void Twin::Compare(const std::string& after, absl::Time now) {
  const std::string expected = Describe(state_);
  const std::string found = Describe(Stored().state);
  if (found == expected) return;
  Fault(absl::StrCat("after ", after, " it is\n  ", found, ", expected\n  ", expected), now);
}

Decision Twin::Apply(const Input& input, const GapList& gaps, absl::Time now) {
  Decision decision = Decide(definition_, state_, input, gaps, now);
  state_ = decision.next;
  if (decision.opened) events_.push_back(EventWords(*decision.opened));
  if (decision.closed) events_.push_back(EventWords(*decision.closed));
  return decision;
}

void Twin::AfterPush(uint64_t push_id, absl::Time now) {
  HeartbeatQuery query;
  query.monitor = definition_.key;
  query.limit = kLooked;
  const std::vector<StoredHeartbeat> newest = *store_.ListHeartbeats(query);
  const auto found = std::find_if(
      newest.begin(), newest.end(),
      [push_id](const StoredHeartbeat& stored) { return stored.heartbeat.push_id == push_id; });
  if (found != newest.end() && recorded_.insert(push_id).second) {
    const Heartbeat& heartbeat = found->heartbeat;
    const bool ended =
        heartbeat.kind == HeartbeatKind::kStart && ended_runs_.contains(heartbeat.run_id);
    const Decision decision = Apply(HeartbeatArrived{.heartbeat = heartbeat, .run_ended = ended},
                                    {}, std::max(now, heartbeat.at));
    if (!decision.ended_run.empty()) ended_runs_.insert(decision.ended_run);
    if (heartbeat.run_duration != decision.run_duration) {
      Fault("a push is stored with another duration of its run", now);
    }
    if (decision.reason != found->reason) {
      Fault(absl::StrCat("a push is stored as ", std::string(ReasonName(found->reason)),
                         ", expected ", std::string(ReasonName(decision.reason))),
            now);
    }
  }
  Compare("a push", now);
}

void Twin::AfterAdmin(const Input& input, bool done, absl::Time now) {
  if (done || Describe(Stored().state) != Describe(state_)) Apply(input, {}, now);
  Compare("a change by people", now);
}

void Twin::AfterChange(absl::Time now) {
  const Schedule schedule = Stored().definition.schedule;
  if (schedule != definition_.schedule) {
    definition_.schedule = schedule;
    Apply(Reconfigured{.schedule_changed = true}, {}, now);
  }
  Compare("a change of schedule", now);
}

void Twin::AfterSweep(absl::Time now) {
  if (Describe(Stored().state) == Describe(state_)) return;
  const GapList gaps = *store_.ReadGaps(absl::InfinitePast());
  CheckKnowledge(DeadlineOf(definition_, state_, gaps).at, gaps, now);
  Apply(DeadlineChecked{}, gaps, now);
  Compare("a sweep", now);
}

// Judging waits for knowledge: a touch after the deadline, and the rest after a gap.
void Twin::CheckKnowledge(absl::Time deadline, const GapList& gaps, absl::Time now) {
  absl::Time newest = absl::InfinitePast();
  const absl::Status read =
      store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(const std::vector<Touch> touches, transaction.ReadTouches());
        for (const Touch& touch : touches) newest = std::max(newest, touch.at);
        return absl::OkStatus();
      });
  if (!read.ok() || newest < deadline) Fault("it was judged before a touch proved it", now);
  for (const Gap& gap : gaps) {
    // A push that waits is no older than that, and it comes through a gateway.
    const bool touched = gap.kind == GapKind::kCore || state_.last_source != Source::kGrpc;
    if (touched && now < gap.end + kRestAfterOutage && deadline > gap.start - kRestAfterOutage) {
      Fault("it was judged too soon after a gap", now);
    }
  }
}

// From product.md, in words of what happened outside: the deadline, postponed at most once, by an
// own outage that began before it, and then the time in which nothing is judged.
absl::Time Twin::PromisedBy() {
  const Schedule& schedule = definition_.schedule;
  const absl::Time base = std::max(state_.last_at, state_.armed_at);
  const absl::Time plain = std::max(base + schedule.timeout + schedule.grace, state_.floor_at);
  const GapList gaps = *store_.ReadGaps(absl::InfinitePast());
  absl::Time by = plain;
  for (const Gap& gap : gaps) {
    const bool touches = gap.kind == GapKind::kCore || state_.last_source != Source::kGrpc;
    if (touches && gap.start <= plain && gap.end >= base) {
      by = std::max(by, gap.end + schedule.recommended_interval + schedule.grace);
    }
  }
  for (const Gap& gap : gaps) {
    if (gap.start <= by + kNoticeTime) by = std::max(by, gap.end + kRestAfterOutage);
  }
  return by + kNoticeTime;
}

void Twin::CheckFound(absl::Time now) {
  if (state_.state != State::kUp || definition_.failure_threshold > 1) return;
  // Of these the promise is another; the state is compared all the same.
  if (definition_.schedule.cron.has_value() || !state_.runs.empty()) return;
  if (const absl::Time by = PromisedBy(); now > by) {
    Fault(absl::StrCat("it is silent, and was not found by ", Seconds(by)), now);
  }
}

}  // namespace tocsin::core::simulation
