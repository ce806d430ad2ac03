// Storms: when too many alerts come for one channel at once, they are gathered into one digest.
#include "services/core/domain/gathering.h"

#include <algorithm>

namespace tocsin::core {

bool MayBeGathered(const Channel& channel, Severity severity) {
  return channel.format != ChannelFormat::kPagerDuty && severity != Severity::kCritical &&
         channel.group_wait > absl::ZeroDuration();
}

GatherPlan PlanGathering(const Channel& channel, const GatherWindow& window, int32_t waiting,
                         absl::Time now) {
  GatherPlan plan;
  plan.window = window;
  if (waiting <= 0) return plan;
  if (channel.group_wait <= absl::ZeroDuration()) {
    plan.release = waiting;
    return plan;
  }
  const int32_t limit = channel.group_limit;
  // One that begins later than another core's `now` may be is of a clock that was set back since.
  const bool set_back = window.started_at > now + channel.group_wait;
  const bool over = now >= window.started_at + channel.group_wait || set_back;
  if (over && waiting > limit && window.sent >= limit) {
    plan.digest = true;
    plan.window = {.started_at = now, .sent = limit};
    return plan;
  }
  if (over) plan.window = {.started_at = now, .sent = 0};
  plan.release = std::clamp(limit - plan.window.sent, 0, std::min(waiting, limit));
  plan.window.sent += plan.release;
  return plan;
}

DigestFacts DigestCounter::Facts() const {
  DigestFacts facts;
  for (const auto& [what, events] : counts_) {
    facts.counts.push_back({.type = what.first, .cause = what.second, .events = events});
  }
  return facts;
}

absl::Time GatheredUntil(const Channel& channel, const GatherWindow& window) {
  return window.sent < channel.group_limit ? absl::InfinitePast()
                                           : window.started_at + channel.group_wait;
}

}  // namespace tocsin::core
