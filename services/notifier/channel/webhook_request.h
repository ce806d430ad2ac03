// Turns a delivery into the signed HTTP request that carries it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/notifier/channel/delivery.h"
#include "services/notifier/channel/http_client.h"

namespace tocsin::notifier {

// A Standard Webhooks request whose `webhook-timestamp` is `now`: the body is the same on every
// attempt, the timestamp and so the signatures are not. A redelivery carries the header
// `tocsin-redelivery: true`. INVALID_ARGUMENT, free of secrets, when the channel has no usable
// secret or a format that this version does not know. The URL is judged by the HTTP client.
absl::StatusOr<HttpRequest> BuildWebhookRequest(const Delivery& delivery, absl::Time now,
                                                absl::Duration timeout);

}  // namespace tocsin::notifier
