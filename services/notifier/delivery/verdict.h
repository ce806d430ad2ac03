// Turns what happened to a delivery into what is reported of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "services/notifier/delivery/outcome.h"
#include "services/notifier/delivery/retry_policy.h"

namespace tocsin::notifier {

// What becomes of the delivery; the numbers are those of the internal proto.
enum class Result {
  kDelivered = 1,
  kRetry = 2,     // tried in vain
  kDeferred = 3,  // not tried; consumes no attempt
  kGone = 4,      // the receiver said that it is gone for good
  kDead = 5,      // given up
};

// The facts of a delivery that its fate depends on.
struct DeliveryFacts {
  uint64_t origin = 0;  // the stream that assigned it
  std::string lease_id;
  std::string delivery_id;
  int attempt = 1;
  bool redelivery = false;
  bool incident_open = false;
};

struct Report {
  uint64_t origin = 0;
  std::string lease_id;
  std::string delivery_id;
  Result result = Result::kDelivered;
  Outcome outcome = Outcome::kOk;
  int http_status = 0;
  absl::Duration retry_after;  // for kRetry and kDeferred
  std::string answer;          // what people are shown of the receiver's answer
};

// How an attempt went.
struct Attempt {
  Outcome outcome = Outcome::kOk;
  int http_status = 0;                        // 0: there was no answer
  std::optional<absl::Duration> retry_after;  // that the receiver asked for
};

// Judges an attempt: success, gone, or a retry; dead when the message itself was rejected. Core
// gives up what was tried for too long: by its own clock, which made the delivery. `jitter` as in
// RetryDelay.
Report JudgeAttempt(const RetryPolicy& policy, const DeliveryFacts& delivery,
                    const Attempt& attempt, double jitter);

// Reports a delivery that was not tried.
Report Defer(const DeliveryFacts& delivery, Outcome outcome, absl::Duration retry_after);

// Reports a delivery that can never be sent.
Report Reject(const DeliveryFacts& delivery);

}  // namespace tocsin::notifier
