// `tocsin monitor stats`, and what `tocsin monitor update --dry-run` says.
#pragma once

#include <string>

#include "CLI/App.hpp"
#include "absl/status/status.h"
#include "cli/context.h"
#include "tocsin/v1/monitor.pb.h"

namespace tocsin::cli {

void AddMonitorStats(CLI::App& monitor, Context& context);

// Says what the timeout or grace in `changed`, of the monitor that it names, would have done with
// the heartbeats that came. INVALID_ARGUMENT when it has neither.
absl::Status TrySchedule(const Context& context, const v1::Monitor& changed);

}  // namespace tocsin::cli
