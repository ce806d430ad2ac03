// What the past of a monitor says, put together from what the store keeps of it.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "services/core/domain/distribution.h"
#include "services/core/domain/names.h"
#include "services/core/domain/rhythm.h"
#include "services/core/domain/uptime.h"
#include "services/core/store/history.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// A schedule that is asked about instead of the monitor's own.
struct ScheduleTrial {
  std::optional<absl::Duration> timeout;
  std::optional<absl::Duration> grace;
};

struct Statistics {
  MonitorDefinition definition;  // with the schedule that was asked about
  absl::Time read_at;
  // Of kStatisticsWindows, in this order.
  std::vector<Uptime> uptimes;
  // Of the earliest signal that the rest is made from, or of the hour or day of rollups that it is
  // in; InfiniteFuture when there is none.
  absl::Time signals_since = absl::InfiniteFuture();
  Distribution gaps;      // in seconds
  Distribution lateness;  // in seconds; of a cron schedule
  Distribution values;
  Advice advice;
  absl::Time alarms_since;
};

inline constexpr absl::Duration kStatisticsWindows[] = {absl::Hours(24), absl::Hours(24 * 7),
                                                        absl::Hours(24 * 30), absl::Hours(24 * 90)};
// What one answer is made from at most; the newest of each.
inline constexpr int kMostPastIncidents = 10'000;
inline constexpr int kMostPastStates = 10'000;
inline constexpr int kMostSignals = 20'000;
inline constexpr absl::Duration kSignalsSpan = absl::Hours(24 * 30);
// What was before those signals is told by rollups.
inline constexpr absl::Duration kRollupsSpan = absl::Hours(24 * 90);
inline constexpr absl::Duration kAlarmsSpan = absl::Hours(24 * 7);

// Thread-safe.
class StatisticsReader {
 public:
  // All of them outlive it. `kept` is for how long incidents are kept: nothing is said of what was
  // before.
  StatisticsReader(Store& store, HistoryStore& history, const Clock& clock, absl::Duration kept);

  // MonitorNotFound; INVALID_ARGUMENT for a trial that no monitor like this could have.
  absl::StatusOr<Statistics> Read(const ResourceName& name, const ScheduleTrial& trial);

 private:
  Store& store_;
  HistoryStore& history_;
  const Clock& clock_;
  const absl::Duration kept_;
};

}  // namespace tocsin::core
