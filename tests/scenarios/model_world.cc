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

absl::Time ModelWorld::NextJudgement() const {
  const absl::Time due =
      std::min(DeadlineOf(definition_, state_, gaps_).at, ReminderAt(definition_, state_));
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
  Apply(Reconfigured{.schedule_changed = before != schedule});
}

void ModelWorld::Do(const Restart&) {}

void ModelWorld::Do(const Outage& outage) {
  outages_.push_back({.kind = outage.kind, .start = now_, .end = now_ + outage.length});
}

Sight ModelWorld::Look() {
  return {.monitor = {.definition = definition_, .state = state_},
          .view = ConditionOf(definition_, state_, gaps_, now_),
          .events = events_};
}

Decision ModelWorld::Apply(const Input& input) {
  Decision decision = Decide(definition_, state_, input, gaps_, now_);
  state_ = decision.next;
  if (decision.opened) events_.push_back("FIRING");
  if (decision.reminded) events_.push_back("REMINDER");
  if (decision.closed) {
    events_.push_back(
        absl::StrCat("RESOLVED:", std::string(ResolutionName(*decision.closed->resolution))));
  }
  return decision;
}

}  // namespace tocsin::core::scenarios
