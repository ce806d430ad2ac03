// How explanations write times, spans and what was received.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/evidence.h"

namespace tocsin::core {

// "2026-03-10 02:00:00Z"; "never" for the infinities.
std::string TellTime(absl::Time at);
// "1h2m3s", to the second; to the millisecond below 10 s.
std::string TellSpan(absl::Duration span);
// "up", or "down \"disk full\" (exit status 2)"; at most 200 bytes of the message, without control
// characters.
std::string TellHeartbeat(const Heartbeat& heartbeat);
// "1 attempt", "3 attempts".
std::string TellCount(int64_t count, std::string_view what);
// "12 × 429 too many from 10.0.0.7; the newest was told: …", of several rows in one.
std::string TellRejected(const std::vector<RejectedPush>& rejected);
// "muted until 2026-… by KEY: known" or "in a maintenance …".
std::string TellWindow(const KnownWindow& known);

}  // namespace tocsin::core
