// What somebody should do who was woken by an alert.
#pragma once

#include <string>

#include "services/notifier/channel/message.h"

namespace tocsin::notifier {

// Begins with a space: ` Runbook: https://…`, or without a runbook what to check and the command
// that shows the monitor's history. Ends without a full stop, so that it can be copied. Empty when
// there is nothing to do.
std::string NextStep(const EventFacts& event);

}  // namespace tocsin::notifier
