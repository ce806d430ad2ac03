// Deliveries as they are made.
#pragma once

#include "absl/time/time.h"
#include "services/core/domain/delivery.h"
#include "services/core/domain/keys.h"

namespace tocsin::core {

// How long a delivery is tried.
inline constexpr absl::Duration kDeliveryLifetime = absl::Hours(24 * 3);

// Due at once, for three days, under an id of its own. The caller adds what it tells, and to whom.
Delivery NewDelivery(ProjectKey project, DeliveryType type, absl::Time now);

}  // namespace tocsin::core
