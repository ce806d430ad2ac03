// The JSON body of an event for PagerDuty's Events API v2.
#pragma once

#include <string>

#include "services/notifier/channel/message.h"

namespace tocsin::notifier {

// Which of the two that an incident takes that was over before its beginning could be told.
enum class PagerDutyEvent { kNewest, kOpening, kEnding };

// Whether the message tells both, so that kOpening must arrive before kNewest: what was never
// triggered PagerDuty does not show when it is resolved.
bool TellsBeginningAndEnd(const Message& message);

// The newest event of the message decides: a FIRING or REMINDER triggers, a RESOLVED resolves, with
// the incident's name as the deduplication key; kOpening triggers and kEnding resolves in any case.
// What is about no monitor (own outages, channels, tests) triggers under a key of its own, and
// people resolve it. Within the limits of PagerDuty (see docs/api.md): if it were longer, what is
// in `custom_details` is left out.
//
// Holds the routing key: never logged. A pure function of the three; always valid UTF-8.
std::string PagerDutyPayload(const Message& message, const std::string& routing_key,
                             PagerDutyEvent which = PagerDutyEvent::kNewest);

}  // namespace tocsin::notifier
