// The JSON body of a Standard Webhooks message.
#pragma once

#include <string>

#include "services/notifier/channel/message.h"

namespace tocsin::notifier {

// `{"type","timestamp","data"}`, in camelCase, keys in a fixed order. Times are RFC 3339 in UTC
// with milli- or microseconds, durations are seconds. What is not known is left out. A pure
// function of the message: the same bytes on every attempt. Always valid UTF-8.
std::string StandardWebhookPayload(const Message& message);

}  // namespace tocsin::notifier
