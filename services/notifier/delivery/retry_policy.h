// When a failed delivery is tried again.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tocsin::notifier {

struct RetryPolicy {
  absl::Duration first = absl::Seconds(1);
  absl::Duration cap_while_open = absl::Minutes(5);  // the incident is open: retries stay close
  absl::Duration cap = absl::Hours(1);
  absl::Duration longest_retry_after = absl::Hours(1);  // more than a receiver may ask for
};

// How long to wait after attempt number `attempt` (from 1) failed. Doubles from `first` up to the
// cap; half of it is fixed and half drawn by `jitter`, which is in [0, 1), so that receivers that
// come back are not met by everybody at once ("equal jitter",
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). Never less than
// what the receiver asked for, bounded by `longest_retry_after`.
absl::Duration RetryDelay(const RetryPolicy& policy, int attempt, bool incident_open,
                          std::optional<absl::Duration> retry_after, double jitter);

// Reads the value of a `Retry-After` header (RFC 9110, 10.2.3): a number of seconds or an HTTP
// date in any of its three forms, relative to `now`. Never negative; nullopt when it is neither.
std::optional<absl::Duration> ParseRetryAfter(absl::string_view value, absl::Time now);

}  // namespace tocsin::notifier
