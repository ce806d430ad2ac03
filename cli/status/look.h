// Asks core how the monitors of a project stand.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/context.h"
#include "cli/status/standing.h"

namespace tocsin::cli {

struct StatusQuestion {
  std::string filter;   // of the API, without a state; empty: all monitors
  int look_at = 10000;  // monitors of each state, at most
  int limit = 20;       // problems of each kind that will be shown, for their incidents; 0: all
};

// Reads the monitors that are down, new and paused by the index of their state, the newest changes
// first; of those that are up, of which there may be very many, the first by id. The work is
// bounded by `look_at`: at most look_at/1,000 + 10 pages of each state, and as many of incidents.
absl::StatusOr<Standing> LookAtMonitors(const Context& context, const StatusQuestion& question);

}  // namespace tocsin::cli
