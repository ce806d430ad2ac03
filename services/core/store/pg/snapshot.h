// The part of an alert event that is kept as JSON: what was known when it happened.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "services/core/domain/alert_event.h"
#include "services/core/domain/delivery.h"

namespace tocsin::core::pg {

// incident, definition and last_heartbeat of the event. Fields are added, never renamed or
// reused: older and newer binaries read each other's. Times are microseconds since 1970.
std::string SnapshotToJson(const AlertEvent& event);
// Fills them in. DATA_LOSS when it is no such JSON.
absl::Status SnapshotFromJson(const std::string& json, AlertEvent& event);

// blind and notice of a delivery; empty when it has neither.
std::string ExtraToJson(const Delivery& delivery);
absl::Status ExtraFromJson(const std::string& json, Delivery& delivery);

}  // namespace tocsin::core::pg
