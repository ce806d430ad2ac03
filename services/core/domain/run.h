// A run of a job: from its start to the up or down that ends it.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/heartbeat.h"

namespace tocsin::core {

// How long a start and its end pair up, and for how long the end of a named run is remembered.
inline constexpr absl::Duration kRunMemory = absl::Hours(72);
// Of one monitor, at the same time.
inline constexpr size_t kMaxRuns = 100;

struct Run {
  std::string id;  // empty: the one unnamed run
  absl::Time started_at;
  // When it has overrun if nothing ends it, by the settings at its start: a change of them does not
  // move it. InfiniteFuture without `max_run_duration`.
  absl::Time due_at = absl::InfiniteFuture();
  bool overran = false;  // judged already; kept so that its end still tells how long it took

  bool has_limit() const { return due_at != absl::InfiniteFuture(); }
  // Whether its end is awaited.
  bool open() const { return !overran; }

  friend bool operator==(const Run&, const Run&) = default;
};

// In order of their starts.
using Runs = std::vector<Run>;

inline Runs::const_iterator FindRun(const Runs& runs, std::string_view id) {
  return std::find_if(runs.begin(), runs.end(), [id](const Run& run) { return run.id == id; });
}

// Makes room for one more. False when each run that is there has a deadline.
inline bool MakeRoom(Runs& runs) {
  if (runs.size() < kMaxRuns) return true;
  const auto least = std::find_if(runs.begin(), runs.end(),
                                  [](const Run& run) { return !run.open() || !run.has_limit(); });
  if (least == runs.end()) return false;
  runs.erase(least);
  return true;
}

// Whether a run is still remembered at `now`: what has a limit is until it was judged.
inline bool IsRemembered(const Run& run, absl::Time now) {
  return (run.has_limit() && run.open()) || now - run.started_at <= kRunMemory;
}

// By so much the clocks of two replicas may differ: the end of a short run may
// be stamped before its start when another replica took it.
inline constexpr absl::Duration kClocksDiffer = absl::Milliseconds(250);

// Takes the run that the heartbeat ends out of `runs`. An unnamed end from before the start is that
// of another run; a name is that of one run.
inline std::optional<Run> TakeRun(Runs& runs, const Heartbeat& heartbeat) {
  const auto found = FindRun(runs, heartbeat.run_id);
  if (found == runs.end()) return std::nullopt;
  const bool named = !heartbeat.run_id.empty();
  if (!named && found->started_at > heartbeat.at + kClocksDiffer) return std::nullopt;
  Run run = *found;
  run.started_at = std::min(run.started_at, heartbeat.at);
  runs.erase(found);
  return run;
}

}  // namespace tocsin::core
