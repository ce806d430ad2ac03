// Their words.
#include "gateway/rest/refusals.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/status_details.h"

namespace tocsin::gateway {

absl::Status NoSuchKey() {
  absl::Status status =
      absl::UnauthenticatedError("The Authorization header has characters that no key has.");
  SetReason(status, "KEY_UNKNOWN");
  return status;
}

absl::Status Busy(const char* what) {
  absl::Status status = absl::UnavailableError(absl::StrCat("Too many ", what, "; try again."));
  SetReason(status, "GATEWAY_BUSY");
  SetRetryDelay(status, absl::Seconds(1));
  return status;
}

absl::Status NoCore() { return absl::UnavailableError("no core is connected"); }

}  // namespace tocsin::gateway
