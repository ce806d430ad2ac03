// A monitor that goes down and comes back again and again is told of once, until it is steady.
#include "services/core/domain/flapping.h"

#include <algorithm>
#include <vector>

namespace tocsin::core {

std::optional<absl::Time> SteadyAt(const MonitorState& state, absl::Time now) {
  if (!state.flapping_since.has_value() || state.transitions.empty()) return std::nullopt;
  const absl::Time steady = state.transitions.back() + kSteadySpan;
  return now < steady ? std::optional<absl::Time>(steady) : std::nullopt;
}

absl::Time UntoldEndAt(const MonitorState& state) {
  if (!state.untold_end.has_value()) return absl::InfiniteFuture();
  return state.transitions.empty() ? absl::InfinitePast() : state.transitions.back() + kSteadySpan;
}

void NoteTransition(MonitorState& state, absl::Time at) {
  std::vector<absl::Time>& transitions = state.transitions;
  // A deadline may be noticed after what came later; their order is that in which they are noted.
  if (!transitions.empty()) at = std::max(at, transitions.back());
  if (!SteadyAt(state, at).has_value()) state.flapping_since.reset();
  std::erase_if(transitions, [at](absl::Time other) { return other <= at - kFlappingSpan; });
  transitions.push_back(at);
  if (transitions.size() > kCalmTransitions + 1) transitions.erase(transitions.begin());
}

bool ChangesTooOften(const MonitorState& state) {
  return state.transitions.size() > kCalmTransitions;
}

void ForgetTransition(MonitorState& state) {
  if (state.transitions.empty()) return;
  if (state.flapping_since == state.transitions.back()) state.flapping_since.reset();
  state.transitions.pop_back();
}

void ForgetTransitions(MonitorState& state) {
  state.transitions.clear();
  state.flapping_since.reset();
}

}  // namespace tocsin::core
