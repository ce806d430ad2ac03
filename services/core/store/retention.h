// What is kept for longer than a policy says, since it is still needed.
#pragma once

#include <algorithm>

#include "absl/time/time.h"
#include "services/core/domain/validate.h"
#include "services/core/store/new_delivery.h"
#include "services/core/store/records.h"

namespace tocsin::core {

// Incidents, alert events and finished deliveries. A delivery that waits, or is sent once more,
// reads its events.
inline absl::Duration AlertMemory(const RetentionPolicy& policy) {
  return std::max(policy.incidents, 2 * kDeliveryLifetime);
}

// Own outages. They move deadlines, which may be as far away as timeout and grace allow.
inline absl::Duration GapMemory(const RetentionPolicy& policy) {
  return std::max(policy.incidents, kMaxTimeout + kMaxGrace);
}

// Pauses and maintenances that ended. Statistics leave these times out.
inline absl::Duration UnwatchedMemory(const RetentionPolicy& policy) {
  return std::max(policy.incidents, policy.rollups.days);
}

}  // namespace tocsin::core
