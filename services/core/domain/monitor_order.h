// The orders in which lists of monitors go, and places in them.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

struct MonitorOrder {
  enum class By { kId, kStateChange, kCreate };
  By by = By::kId;
  bool descending = false;

  friend bool operator==(const MonitorOrder&, const MonitorOrder&) = default;
};

// `id`, `state_change_time` or `create_time` (or `stateChangeTime`, `createTime`), each with ` asc`
// (as without) or ` desc`; empty means `id`. INVALID_ARGUMENT (on `order_by`) for anything else.
absl::StatusOr<MonitorOrder> ParseMonitorOrder(std::string_view text);

// Where a monitor stands: by time (the epoch in the order by id), among equals by id. Both ascend,
// or both descend.
struct MonitorPlace {
  absl::Time at = absl::UnixEpoch();
  std::string id;

  friend bool operator==(const MonitorPlace&, const MonitorPlace&) = default;
};

MonitorPlace PlaceOf(const MonitorOrder& order, const Monitor& monitor);
// Whether `a` comes before `b`.
bool ComesBefore(const MonitorOrder& order, const MonitorPlace& a, const MonitorPlace& b);

}  // namespace tocsin::core
