// The sentence that a person reads at three in the morning.
#pragma once

#include <string>

#include "services/notifier/channel/message.h"

namespace tocsin::notifier {

// Says what, who, since when, why, what was last heard and what to do, e.g.
//   DOWN payments/nightly-backup (critical, @payments): no heartbeat for 25 h 3 m, expected
//   2026-03-10 02:00 UTC + 1 h grace. Last: up "backup-completed", 2026-03-09 02:04 UTC.
// A pure function of the message: the same on every attempt. One line; times are UTC and have their
// date, since a message may be delivered or read days later. At most a few kilobytes.
std::string Summarize(const Message& message);

}  // namespace tocsin::notifier
