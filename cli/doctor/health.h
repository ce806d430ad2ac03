// The health service of gRPC, asked.
#pragma once

#include "absl/status/statusor.h"
#include "cli/context.h"

namespace tocsin::cli {

// Whether core says that it is ready; needs no key. UNAVAILABLE or DEADLINE_EXCEEDED when it says
// nothing.
absl::StatusOr<bool> AskHealth(const Context& context);

}  // namespace tocsin::cli
