// What a person sees of a monitor: the stored state, refined by the time of the read.
#include "services/core/domain/condition.h"

#include <algorithm>

#include "services/core/domain/fire_times.h"

namespace tocsin::core {
namespace {

Condition OfNew(const MonitorDefinition& definition, const MonitorState& state,
                const Deadline& deadline, absl::Time now) {
  if (state.last_at != absl::InfinitePast()) return Condition::kNew;
  if (deadline.at != absl::InfiniteFuture()) {
    return now > deadline.at ? Condition::kNeverReported : Condition::kNew;
  }
  // Nothing is due, so nothing alerts; people still see that it ought to have reported.
  const Schedule& schedule = definition.schedule;
  const absl::Time expected =
      schedule.cron.has_value()
          ? ExpectedFire(*schedule.cron, absl::InfinitePast(),
                         std::max(definition.created_at, state.floor_at), 1)
          : std::max(definition.created_at + schedule.timeout, state.floor_at - schedule.grace);
  const absl::Time due = expected + schedule.grace;
  return now > due ? Condition::kNeverReported : Condition::kNew;
}

}  // namespace

ConditionView ConditionOf(const MonitorDefinition& definition, const MonitorState& state,
                          const GapList& gaps, absl::Time now) {
  ConditionView view;
  view.deadline = DeadlineOf(definition, state, gaps);
  view.unverified = view.deadline.unverified;
  if (definition.deleted_at.has_value()) {
    view.condition = Condition::kPaused;
    return view;
  }
  switch (state.state) {
    case State::kPaused:
      view.condition = Condition::kPaused;
      break;
    case State::kDown:
      view.condition = Condition::kDown;
      break;
    case State::kNew:
      view.condition = OfNew(definition, state, view.deadline, now);
      break;
    case State::kUp:
      view.condition = now > view.deadline.expected_at ? Condition::kLate : Condition::kUp;
      break;
  }
  const bool watched = state.state == State::kNew || state.state == State::kUp;
  const bool running = std::any_of(state.runs.begin(), state.runs.end(), [now](const Run& run) {
    return run.open() && IsRemembered(run, now);
  });
  if (watched && running) view.condition = Condition::kRunning;
  return view;
}

}  // namespace tocsin::core
