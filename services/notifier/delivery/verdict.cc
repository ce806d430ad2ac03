// Turns what happened to a delivery into what is reported of it.
#include "services/notifier/delivery/verdict.h"

namespace tocsin::notifier {
namespace {

Report MakeReport(const DeliveryFacts& delivery, Result result, Outcome outcome) {
  Report report;
  report.origin = delivery.origin;
  report.lease_id = delivery.lease_id;
  report.delivery_id = delivery.delivery_id;
  report.result = result;
  report.outcome = outcome;
  return report;
}

}  // namespace

Report JudgeAttempt(const RetryPolicy& policy, const DeliveryFacts& delivery,
                    const Attempt& attempt, double jitter) {
  Report report = MakeReport(delivery, Result::kRetry, attempt.outcome);
  report.http_status = attempt.http_status;
  if (attempt.outcome == Outcome::kOk) {
    report.result = Result::kDelivered;
    return report;
  }
  if (attempt.outcome == Outcome::kGone) {
    report.result = Result::kGone;
    return report;
  }
  if (attempt.outcome == Outcome::kRejected) {
    report.result = Result::kDead;
    return report;
  }
  report.retry_after =
      RetryDelay(policy, delivery.attempt, delivery.incident_open, attempt.retry_after, jitter);
  return report;
}

Report Defer(const DeliveryFacts& delivery, Outcome outcome, absl::Duration retry_after) {
  Report report = MakeReport(delivery, Result::kDeferred, outcome);
  report.retry_after = retry_after;
  return report;
}

Report Reject(const DeliveryFacts& delivery) {
  return MakeReport(delivery, Result::kDead, Outcome::kBadChannel);
}

}  // namespace tocsin::notifier
