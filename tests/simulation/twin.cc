// What a monitor must be like.
#include "tests/simulation/twin.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "services/core/domain/deadline.h"
#include "services/core/domain/flapping.h"
#include "services/core/domain/words.h"
#include "tests/scenarios/world.h"
#include "tests/simulation/promise.h"

namespace tocsin::core::simulation {
namespace {

using scenarios::Beginning;
using scenarios::kRestAfterOutage;

constexpr int kLooked = 50;  // newest heartbeats among which a push is looked for
// Of one monitor at one instant: each of its runs may overrun.
constexpr size_t kMostJudged = kMaxRuns + 10;

std::string Seconds(absl::Time at) {
  if (at == absl::InfinitePast()) return "never";
  return absl::FormatDuration(at - Beginning());
}

std::string Describe(const Incident& incident) {
  return absl::StrCat(std::string(CauseName(incident.cause)), " opened ",
                      Seconds(incident.opened_at), " detected ", Seconds(incident.detected_at),
                      " saying \"", incident.message, "\" reminded ",
                      Seconds(incident.reminded_at.value_or(absl::InfinitePast())), " held until ",
                      Seconds(incident.held_until.value_or(absl::InfinitePast())));
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

Twin::Twin(Store& store, const Calendar& calendar, MonitorDefinition definition,
           std::vector<std::string>& faults)
    : store_(store), calendar_(calendar), definition_(std::move(definition)), faults_(faults) {
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

GapList Twin::Gaps(absl::Time now) {
  const Maintenances maintenances = *store_.ListMaintenances({.project = definition_.project,
                                                              .after_id = "",
                                                              .limit = 100 * kMaxMaintenances,
                                                              .with_deleted = true});
  return WithMaintenances(*store_.ReadGaps(absl::InfinitePast()), maintenances, definition_, state_,
                          now);
}

Decision Twin::Apply(const Input& input, const GapList& gaps, absl::Time now) {
  Decision decision = Decide(definition_, state_, input, gaps, now);
  CheckTold(decision, now);
  if (decision.next.runs != state_.runs) ran_at_ = now;
  // The end of what was told while it flaps is told when it is steady.
  const bool told_later = decision.closed && !state_.untold_end && decision.next.untold_end;
  state_ = decision.next;
  const size_t before = events_.size();
  const auto is_told = [](const std::optional<Incident>& incident) {
    return incident.has_value() && !incident->held_until.has_value();
  };
  if (decision.opened && !is_told(decision.opened)) ++held_;
  if (decision.told_end) events_.push_back(untold_end_);
  if (told_later) untold_end_ = EventWords(*decision.closed);
  if (is_told(decision.opened)) events_.push_back(EventWords(*decision.opened));
  if (decision.told) events_.push_back(EventWords(*state_.incident));
  if (decision.reminded) events_.push_back("REMINDER");
  if (is_told(decision.closed) && !told_later) events_.push_back(EventWords(*decision.closed));
  if (events_.size() > before) told_at_ = now;
  return decision;
}

// Nobody is told in a window that something is wrong, or still is; out of one everybody is.
void Twin::CheckTold(const Decision& decision, absl::Time now) {
  const bool open = calendar_.IsOpen(definition_, now);
  const bool flaps = decision.opened && SteadyAt(state_, decision.opened->opened_at) &&
                     now < decision.opened->opened_at + kSteadySpan;
  if (decision.opened && decision.opened->held_until.has_value() != (open || flaps)) {
    Fault(open ? "it was told in a maintenance" : "it was held back in no maintenance", now);
  }
  if (open && decision.told) Fault("what was held back was told in another maintenance", now);
  if (!decision.reminded) return;
  if (open) Fault("it was reminded of in a maintenance", now);
  if (now < told_at_ + definition_.reminder_interval) Fault("it was reminded of too soon", now);
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
    const absl::Time decided_at = std::max(now, heartbeat.at);
    const Decision decision = Apply(HeartbeatArrived{.heartbeat = heartbeat, .run_ended = ended},
                                    Gaps(decided_at), decided_at);
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
  MonitorDefinition stored = Stored().definition;
  stored.version = definition_.version;  // drawn anew by what is no change of it, too
  stored.updated_at = definition_.updated_at;
  if (stored != definition_) {
    Reconfigured change;
    if (stored.schedule != definition_.schedule) change.replaced = definition_.schedule;
    definition_ = std::move(stored);
    changed_at_ = now;
    Apply(change, {}, now);
  }
  Compare("a change by people", now);
}

void Twin::AfterSweep(absl::Time now) {
  // Several sweeps may have judged it at one instant, and each judges one thing.
  for (size_t i = 0; i < kMostJudged && Describe(Stored().state) != Describe(state_); ++i) {
    const GapList gaps = Gaps(now);
    const absl::Time deadline = DeadlineOf(definition_, state_, gaps).at;
    const absl::Time told = TellAt(definition_, state_, gaps, now);
    CheckKnowledge(deadline < now ? deadline : told, now);
    if (Apply(DeadlineChecked{}, gaps, now).reason == Reason::kNotDue) break;
  }
  Compare("a sweep", now);
}

// Judging waits for knowledge: a touch after the deadline, and the rest after a gap.
void Twin::CheckKnowledge(absl::Time deadline, absl::Time now) {
  const GapList gaps = *store_.ReadGaps(absl::InfinitePast());
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

void Twin::CheckPunctual(absl::Time now) {
  if (state_.state == State::kUp) CheckFound(now);
  if (state_.state != State::kDown) return;
  if (state_.incident->held_until.has_value()) {
    CheckHeld(now);
  } else {
    CheckReminded(now);
  }
}

// What counts is what maintenances there were, so that who changes one postpones nothing for longer
// than that lasted.
void Twin::CheckFound(absl::Time now) {
  const GapList outages = *store_.ReadGaps(absl::InfinitePast());
  GapList disturbed;
  for (const Gap& gap : outages) {
    const bool touches = gap.kind == GapKind::kCore || state_.last_source != Source::kGrpc;
    if (touches) disturbed.push_back(gap);
  }
  const GapList windows = calendar_.Windows(definition_, definition_.created_at, now);
  disturbed.insert(disturbed.end(), windows.begin(), windows.end());
  // What was due before a run stood in for it is due again when that ends and says nothing new.
  absl::Time due =
      std::max(NextMissOf(definition_, state_, disturbed).at, std::max(changed_at_, ran_at_));
  // What was on its way when an outage ended may come after the sweeper has looked: then it looks
  // again when it would have without that.
  const Schedule& schedule = definition_.schedule;
  for (const Gap& gap : disturbed) {
    const bool outage = gap.kind != GapKind::kMaintenance;
    if (!outage || state_.last_at < gap.start - kRestAfterOutage || state_.last_at > gap.end)
      continue;
    due = std::max(due, gap.end + schedule.recommended_interval + schedule.grace);
  }
  const absl::Time by = NoticedBy(due, outages);
  if (now <= by) return;
  std::string story;
  for (const Gap& gap : disturbed) {
    absl::StrAppend(&story, gap.kind == GapKind::kMaintenance ? "; window " : "; gap ",
                    Seconds(gap.start), " to ", Seconds(gap.end));
  }
  Fault(absl::StrCat("it is silent, and was not found by ", Seconds(by), "; it is ",
                     Describe(state_), story),
        now);
}

absl::Time Twin::FlapsUntil() const {
  if (!state_.flapping_since.has_value()) return absl::InfinitePast();
  return state_.transitions.back() + kSteadySpan;
}

void Twin::CheckHeld(absl::Time now) {
  const absl::Time open =
      std::max({calendar_.OpenUntil(definition_, now), changed_at_, FlapsUntil()});
  const absl::Time end = std::max(open, state_.incident->detected_at);
  const absl::Time by = NoticedBy(end, *store_.ReadGaps(absl::InfinitePast()));
  if (now > by)
    Fault(absl::StrCat("it is held back, and no window is open since ", Seconds(end)), now);
}

// What falls into a window is left out, and counts.
void Twin::CheckReminded(absl::Time now) {
  if (definition_.reminder_interval == absl::ZeroDuration()) return;
  const absl::Time since =
      std::max({told_at_, changed_at_, calendar_.OpenUntil(definition_, now), FlapsUntil()});
  const absl::Time by =
      NoticedBy(since + definition_.reminder_interval, *store_.ReadGaps(absl::InfinitePast()));
  if (now > by) Fault(absl::StrCat("a reminder was due by ", Seconds(by)), now);
}

}  // namespace tocsin::core::simulation
