// Core as the rules describe it, without any of its machinery.
#include "tests/scenarios/model_world.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/core/domain/deadline.h"
#include "services/core/domain/validate.h"
#include "services/core/domain/words.h"

namespace tocsin::core::scenarios {

ModelWorld::ModelWorld(const MonitorDefinition& monitor) : definition_(monitor), now_(Beginning()) {
  definition_.created_at = now_;
  if (definition_.arm_on_create) state_.armed_at = now_;
}

bool ModelWorld::Blind(GapKind kind) const {
  return std::any_of(outages_.begin(), outages_.end(),
                     [&](const Gap& outage) { return outage.kind == kind; });
}

void ModelWorld::EndOutages() {
  for (const Gap& outage : outages_) {
    if (outage.end <= now_) gaps_.push_back(outage);
  }
  std::erase_if(outages_, [&](const Gap& outage) { return outage.end <= now_; });
  std::sort(gaps_.begin(), gaps_.end(), [](const Gap& a, const Gap& b) { return a.end < b.end; });
}

GapList ModelWorld::Gaps() const {
  return WithMaintenances(gaps_, maintenances_, definition_, state_, now_);
}

absl::Time ModelWorld::NextJudgement() const {
  const GapList gaps = Gaps();
  const absl::Time due =
      std::min(DeadlineOf(definition_, state_, gaps).at, TellAt(definition_, state_, gaps, now_));
  if (due == absl::InfiniteFuture()) return absl::InfiniteFuture();
  absl::Time judged = due + absl::Milliseconds(20);
  for (const GapList* list : {&gaps_, &outages_}) {
    for (const Gap& gap : *list) {
      if (gap.start <= judged) judged = std::max(judged, gap.end + kRestAfterOutage);
    }
  }
  return judged;
}

void ModelWorld::AdvanceTo(absl::Time when) {
  while (now_ < when) {
    absl::Time next = std::min(when, std::max(now_, NextJudgement()));
    for (const Gap& outage : outages_) next = std::min(next, outage.end);
    now_ = next;
    EndOutages();
    if (NextJudgement() <= now_) Apply(DeadlineChecked{});
  }
}

std::string ModelWorld::PushNow(const Heartbeat& heartbeat) {
  if (Blind(GapKind::kCore)) return "lost";
  if (heartbeat.source == Source::kHttp && Blind(GapKind::kGateway)) return "lost";
  HeartbeatArrived arrived{.heartbeat = heartbeat};
  if (heartbeat.kind == HeartbeatKind::kStart && !heartbeat.run_id.empty()) {
    const auto ended = ended_runs_.find(heartbeat.run_id);
    arrived.run_ended = ended != ended_runs_.end() && ended->second >= now_ - kRunMemory;
  }
  const Decision decision = Apply(arrived);
  if (!decision.ended_run.empty()) ended_runs_[decision.ended_run] = now_;
  return std::string(ReasonName(decision.reason));
}

void ModelWorld::Do(const Admin& admin) {
  switch (admin.what) {
    case Admin::What::kPause:
      Apply(Paused{});
      break;
    case Admin::What::kResume:
      Apply(Resumed{});
      break;
    case Admin::What::kDelete:
      Apply(Deleted{});
      definition_.deleted_at = now_;
      break;
    case Admin::What::kUndelete:
      definition_.deleted_at.reset();
      Apply(Undeleted{});
      break;
  }
}

void ModelWorld::Do(const Change& change) {
  const Schedule before = definition_.schedule;
  for (const Edit& edit : change.edits) edit(definition_);
  Schedule& schedule = definition_.schedule;
  // A recommended interval that was the timeout and was left alone stays that.
  const bool left_alone = before.recommended_interval == schedule.recommended_interval;
  if (left_alone && before.recommended_interval == before.timeout) {
    schedule.recommended_interval = schedule.timeout;
  }
  FillDefaults(definition_);
  Apply(before != schedule ? Reconfigured{.replaced = before} : Reconfigured{});
}

void ModelWorld::Do(const SetMaintenance& set) {
  auto found = std::find_if(
      maintenances_.begin(), maintenances_.end(),
      [&](const Maintenance& each) { return each.id == set.id && !each.deleted_at.has_value(); });
  // What it was before is remembered as one that was taken back.
  std::optional<Maintenance> before;
  if (found == maintenances_.end()) {
    found = maintenances_.insert(found, NewMaintenance(set.id, now_));
    found->created_at = now_;
  } else {
    before = *found;
    before->deleted_at = now_;
  }
  for (const auto& edit : set.edits) edit(*found);
  if (before.has_value()) maintenances_.push_back(*std::move(before));
}

void ModelWorld::Do(const DeleteMaintenance& gone) {
  for (Maintenance& each : maintenances_) {
    if (each.id == gone.id && !each.deleted_at.has_value()) each.deleted_at = now_;
  }
}

void ModelWorld::Do(const Restart&) {}

void ModelWorld::Do(const Outage& outage) {
  outages_.push_back({.kind = outage.kind, .start = now_, .end = now_ + outage.length});
}

Sight ModelWorld::Look() {
  const GapList gaps = Gaps();
  return {.monitor = {.definition = definition_, .state = state_},
          .view = ConditionOf(definition_, state_, gaps, now_),
          .maintained = MaintainedUntil(gaps, now_).has_value(),
          .events = events_,
          .occurred_at = occurred_at_};
}

void ModelWorld::Tell(const std::string& event, absl::Time at) {
  events_.push_back(event);
  occurred_at_ = at;
}

Decision ModelWorld::Apply(const Input& input) {
  Decision decision = Decide(definition_, state_, input, Gaps(), now_);
  // The end of what was told while it flaps is told when it is steady.
  const bool told_later = decision.closed && !state_.untold_end && decision.next.untold_end;
  state_ = decision.next;
  if (decision.told_end) Tell("RESOLVED:recovered", untold_closed_at_);
  if (told_later) untold_closed_at_ = *decision.closed->closed_at;
  const auto& opened = decision.opened;
  if (opened && !opened->held_until) Tell("FIRING", opened->opened_at);
  if (decision.told) Tell("FIRING", state_.incident->opened_at);
  if (decision.reminded) Tell("REMINDER", now_);
  const auto& closed = decision.closed;
  if (closed && !closed->held_until && !told_later) {
    Tell(absl::StrCat("RESOLVED:", std::string(ResolutionName(*closed->resolution))),
         *closed->closed_at);
  }
  return decision;
}

}  // namespace tocsin::core::scenarios
