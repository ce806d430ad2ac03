// Writes new deliveries, behind those that they must wait for.
#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "services/core/domain/delivery.h"
#include "services/core/store/pg/session.h"

namespace tocsin::core::pg {

// One that must wait for another of its monitor and channel is not due before that one; see
// delivery_order.h for why. Where too many wait then, or a reminder that something newer follows,
// the backlog is cut. Their monitors are locked by the transaction.
absl::Status AddDeliveries(Session& session, absl::Span<const Delivery> deliveries);

}  // namespace tocsin::core::pg
