// Why a monitor rang, or why it did not, from what the store keeps.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/domain/timeline.h"
#include "services/core/domain/verdict.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// Where a page of the timeline ends: what is at `at` or before, but for the `skip` last of those.
struct TimelinePlace {
  absl::Time at;
  int skip = 0;
};

struct ExplainQuestion {
  std::string project;
  std::string monitor;
  std::optional<absl::Time> at;  // nullopt: the present, and what rang last
  // The timeline's; start <= end.
  absl::Time start;
  absl::Time end;
  std::optional<TimelinePlace> place;  // nullopt: the end
  int limit = 200;                     // records of the page
};

struct Explanation {
  MonitorDefinition definition;
  Verdict verdict;
  IncidentKey incident = 0;  // that the verdict is about; 0: none
  std::vector<TimelineEntry> entries;
  std::optional<TimelinePlace> next;  // nullopt: the page was the last
};

// Reads at most some thousand rows, whatever is asked. A time of the past is judged by what is kept
// of it: settings are taken back by the audit log, the state is derived (see past_state.h).
// MonitorNotFound when there is none.
absl::StatusOr<Explanation> ExplainMonitor(Store& store, const ExplainQuestion& question,
                                           absl::Time now);

}  // namespace tocsin::core
