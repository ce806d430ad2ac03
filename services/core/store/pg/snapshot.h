// What is kept as JSON: what else a delivery tells, what a push key may do, and what was known when
// an alert event of before event_facts.h happened.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/core/domain/alert_event.h"
#include "services/core/domain/api_key.h"
#include "services/core/domain/delivery.h"

namespace tocsin::core::pg {

// Fields are added, never renamed or reused: older and newer binaries read each other's. Times are
// microseconds since 1970.

// Fills in what FactsFromBytes does. DATA_LOSS when it is no such JSON.
absl::Status SnapshotFromJson(const std::string& json, AlertEvent& event);

// blind and notice of a delivery; empty when it has neither.
std::string ExtraToJson(const Delivery& delivery);
absl::Status ExtraFromJson(const std::string& json, Delivery& delivery);

// Of the defaults of a grant, identity, version and times are not kept.
std::string GrantToJson(const PushGrant& grant);
absl::StatusOr<PushGrant> GrantFromJson(const std::string& json);

}  // namespace tocsin::core::pg
