// The closed set of ways in which an attempt, or the refusal to make one, can end.
#pragma once

#include <array>

#include "absl/strings/string_view.h"

namespace tocsin::notifier {

// The words of `DeliveryReport.outcome` and of the metric label `outcome`.
enum class Outcome {
  kOk,              // 2xx
  kStatus3xx,       // redirects are not followed
  kStatus4xx,       // except 410
  kStatus5xx,       // and whatever else is no HTTP status that we know
  kGone,            // 410, or whatever its format says it with
  kRejected,        // the receiver refuses the message itself, and would again
  kTimeout,         // no answer in time
  kConnectFailed,   // no connection, or it broke before an answer
  kTlsFailed,       // no TLS session, or an untrusted certificate
  kDnsFailed,       // the name has no address
  kAddressRefused,  // every address is in a network to which webhooks are not allowed
  kCircuitOpen,     // not tried: the channel is failing or asked us to wait
  kExpiredLease,    // not tried: the lease could end before the request
  kDraining,        // not tried: this notifier is shutting down
  kBadChannel,      // can never be sent: its URL, secret or format is unusable
};

inline constexpr std::array<Outcome, 15> kAllOutcomes = {
    Outcome::kOk,           Outcome::kStatus3xx, Outcome::kStatus4xx,      Outcome::kStatus5xx,
    Outcome::kGone,         Outcome::kRejected,  Outcome::kTimeout,        Outcome::kConnectFailed,
    Outcome::kTlsFailed,    Outcome::kDnsFailed, Outcome::kAddressRefused, Outcome::kCircuitOpen,
    Outcome::kExpiredLease, Outcome::kDraining,  Outcome::kBadChannel};

// The word, e.g. "status_5xx".
absl::string_view OutcomeWord(Outcome outcome);

// The outcome of an answer with this HTTP status.
Outcome OutcomeOfStatus(int http_status);

// Whether a request was made at all.
bool IsAttempt(Outcome outcome);

}  // namespace tocsin::notifier
