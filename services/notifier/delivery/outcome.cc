// Words and classes of outcomes.
#include "services/notifier/delivery/outcome.h"

namespace tocsin::notifier {

absl::string_view OutcomeWord(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
      return "ok";
    case Outcome::kStatus3xx:
      return "status_3xx";
    case Outcome::kStatus4xx:
      return "status_4xx";
    case Outcome::kStatus5xx:
      return "status_5xx";
    case Outcome::kGone:
      return "gone";
    case Outcome::kRejected:
      return "rejected";
    case Outcome::kTimeout:
      return "timeout";
    case Outcome::kConnectFailed:
      return "connect_failed";
    case Outcome::kTlsFailed:
      return "tls_failed";
    case Outcome::kDnsFailed:
      return "dns_failed";
    case Outcome::kAddressRefused:
      return "address_refused";
    case Outcome::kCircuitOpen:
      return "circuit_open";
    case Outcome::kExpiredLease:
      return "expired_lease";
    case Outcome::kDraining:
      return "draining";
    case Outcome::kBadChannel:
      return "bad_channel";
  }
  return "";
}

Outcome OutcomeOfStatus(int http_status) {
  if (http_status >= 200 && http_status < 300) return Outcome::kOk;
  if (http_status >= 300 && http_status < 400) return Outcome::kStatus3xx;
  if (http_status == 410) return Outcome::kGone;
  if (http_status >= 400 && http_status < 500) return Outcome::kStatus4xx;
  return Outcome::kStatus5xx;
}

bool IsAttempt(Outcome outcome) {
  switch (outcome) {
    case Outcome::kCircuitOpen:
    case Outcome::kExpiredLease:
    case Outcome::kDraining:
    case Outcome::kBadChannel:
      return false;
    default:
      return true;
  }
}

}  // namespace tocsin::notifier
