// Between the messages of the delivery stream and the notifier's own words.
#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "services/notifier/channel/delivery.h"
#include "services/notifier/delivery/verdict.h"
#include "tocsin/internal/v1/delivery_service.pb.h"

namespace tocsin::notifier {

// `origin` names the stream that the assignment came by, `leased_at` is the monotonic time from
// which its lease counts. Times are cut to microseconds. Values of later versions become kUnknown.
Delivery FromProto(const internal::v1::Assignment& assignment, uint64_t origin,
                   absl::Duration leased_at);

void ToProto(const Report& report, internal::v1::DeliveryReport& proto);

}  // namespace tocsin::notifier
