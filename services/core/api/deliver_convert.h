// Leased deliveries as the notifier gets them, and its reports as the store takes them.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "services/core/store/records.h"
#include "tocsin/internal/v1/delivery_service.pb.h"

namespace tocsin::core {

// The lease in it counts from `now`. Holds secrets.
internal::v1::Assignment ToAssignment(const LeasedDelivery& leased, absl::Time now,
                                      const std::string& public_url);

// Nullopt when the result is unknown or no delivery is named.
std::optional<DeliveryReport> ToDeliveryReport(const internal::v1::DeliveryReport& report);

}  // namespace tocsin::core
