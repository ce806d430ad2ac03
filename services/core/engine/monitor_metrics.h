// The metrics of each monitor, on an endpoint of their own: their number grows with the monitors.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "services/core/domain/gap.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// Monitors beyond this are left out, and a comment in the text says so.
inline constexpr int kMostMonitorsShown = 100'000;

// Prometheus's text format: tocsin_monitor_state (one-hot), _info,
// _last_heartbeat_timestamp_seconds, _deadline_timestamp_seconds, _last_value, for the monitors of
// the default project, in order of id. Reads page by page. Thread-safe.
absl::StatusOr<std::string> MonitorMetrics(Store& store, const GapList& gaps, absl::Time now);

}  // namespace tocsin::core
