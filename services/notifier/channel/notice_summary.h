// Summaries of what is not about one monitor: own outages and news about channels.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "services/notifier/channel/message.h"

namespace tocsin::notifier {

// Tocsin itself was deaf, or is since a while at `occurred_at`, when that is told.
std::string BlindSummary(const BlindFacts& blind, absl::Time occurred_at);

// Another channel does not work; said at `occurred_at`.
std::string ChannelFailingSummary(const ChannelNoticeFacts& notice, absl::Time occurred_at);

// Somebody tries whether this channel works.
std::string ChannelTestSummary(const ChannelNoticeFacts& notice);

}  // namespace tocsin::notifier
