// Exponential backoff with equal jitter, and the reading of Retry-After.
#include "services/notifier/delivery/retry_policy.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace tocsin::notifier {
namespace {

// More seconds than any policy allows, so that sums cannot overflow.
constexpr int64_t kManySeconds = 366 * 24 * 3600;

absl::Duration Backoff(const RetryPolicy& policy, int attempt, bool incident_open) {
  const absl::Duration cap = incident_open ? policy.cap_while_open : policy.cap;
  absl::Duration delay = policy.first;
  for (int i = 1; i < attempt && delay < cap; ++i) delay *= 2;
  return std::min(delay, cap);
}

}  // namespace

absl::Duration RetryDelay(const RetryPolicy& policy, int attempt, bool incident_open,
                          std::optional<absl::Duration> retry_after, double jitter) {
  const absl::Duration half = Backoff(policy, attempt, incident_open) / 2;
  absl::Duration delay = half + half * std::clamp(jitter, 0.0, 1.0);
  if (retry_after.has_value()) {
    delay = std::max(delay, std::min(*retry_after, policy.longest_retry_after));
  }
  return delay;
}

std::optional<absl::Duration> ParseRetryAfter(absl::string_view value, absl::Time now) {
  value = absl::StripAsciiWhitespace(value);
  if (value.empty() || value.size() > 64) return std::nullopt;
  if (std::all_of(value.begin(), value.end(), absl::ascii_isdigit)) {
    int64_t seconds = kManySeconds;
    if (!absl::SimpleAtoi(value, &seconds)) seconds = kManySeconds;
    return absl::Seconds(std::min(seconds, kManySeconds));
  }
  for (const char* format :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    absl::Time at;
    std::string error;
    if (absl::ParseTime(format, value, &at, &error)) {
      return std::clamp(at - now, absl::ZeroDuration(), absl::Seconds(kManySeconds));
    }
  }
  return std::nullopt;
}

}  // namespace tocsin::notifier
