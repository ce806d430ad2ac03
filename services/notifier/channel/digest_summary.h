// The summary of many alerts that are told together.
#pragma once

#include <string>

#include "services/notifier/channel/message.h"

namespace tocsin::notifier {

// `DIGEST shop: 123 alerts in one message: 120 down (100 no heartbeat in time, 20 reported down), 3
// ended. Down: a, b and 118 more. Ended: c and 2 more. Open incidents: https://…`. The message has
// a digest.
std::string DigestSummary(const Message& message);

}  // namespace tocsin::notifier
