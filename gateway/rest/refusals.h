// What the gateway itself refuses of requests that are no pushes.
#pragma once

#include "absl/status/status.h"

namespace tocsin::gateway {

// UNAUTHENTICATED: the Authorization header cannot be passed on to core.
absl::Status NoSuchKey();
// UNAVAILABLE with a retry delay: a bound is reached. `what` there is too much of, "streams are
// open".
absl::Status Busy(const char* what);
// UNAVAILABLE.
absl::Status NoCore();

}  // namespace tocsin::gateway
