// Turns a delivery into the HTTP request that carries it.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/notifier/channel/delivery.h"
#include "services/notifier/channel/http_client.h"

namespace tocsin::notifier {

// The request in the format of the channel; the body is the same on every attempt. A Standard
// Webhooks request is signed: its `webhook-timestamp` is `now`, so that its headers are not the
// same; and a redelivery carries the header `tocsin-redelivery: true`. After these come the
// channel's own headers. INVALID_ARGUMENT, free of secrets, when the channel lacks a usable secret
// that its format needs, has a header that is none, or a format that this version does not know.
// The URL is judged by the HTTP client.
absl::StatusOr<HttpRequest> BuildWebhookRequest(const Delivery& delivery, absl::Time now,
                                                absl::Duration timeout);

// Of a delivery for which one request was made: what must be delivered before it, in the same time;
// nullopt, as nearly always: nothing. See pagerduty_payload.h.
std::optional<HttpRequest> RequestBefore(const Delivery& delivery, const HttpRequest& request);

}  // namespace tocsin::notifier
