// Whether there is what a silence is to be about: a typo would silence nothing, and nobody would
// know before the alert.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/context.h"

namespace tocsin::cli {

// NOT_FOUND names the first id that no monitor of the project has, or only a deleted one.
absl::Status MonitorsExist(const Context& context, const std::vector<std::string>& ids);

// Says so on standard error when an id, or a selector that is not empty, names no monitor of the
// project now. Says nothing where that cannot be told.
void WarnOfNone(const Context& context, const std::vector<std::string>& ids,
                const std::string& selector);

}  // namespace tocsin::cli
