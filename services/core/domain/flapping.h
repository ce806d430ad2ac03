// A monitor that goes down and comes back again and again is told of once, until it is steady.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

// More transitions than these within kFlappingSpan are flapping.
inline constexpr int kCalmTransitions = 6;
inline constexpr absl::Duration kFlappingSpan = absl::Hours(1);
// Flapping is over when nothing has changed for so long.
inline constexpr absl::Duration kSteadySpan = absl::Minutes(15);

// When a monitor that flaps at `now` is steady, if it stays as it is; nullopt: it does not flap, or
// is steady.
std::optional<absl::Time> SteadyAt(const MonitorState& state, absl::Time now);

// When an end that was not told is told at the earliest; InfiniteFuture: there is none.
absl::Time UntoldEndAt(const MonitorState& state);

// Notes that the monitor went DOWN or came back at `at`.
void NoteTransition(MonitorState& state, absl::Time at);
// Whether there were so many that it is to flap from the newest on.
bool ChangesTooOften(const MonitorState& state);
// Takes the newest one back: it was none.
void ForgetTransition(MonitorState& state);
// Somebody stopped watching it: what was before says nothing any more.
void ForgetTransitions(MonitorState& state);

}  // namespace tocsin::core
