// Flags that take headers of HTTP requests, "NAME: VALUE".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tocsin::cli {

// Values by name, of what a flag was given: "NAME: VALUE", or "@PATH" for a file of such lines, in
// which blank ones are skipped; "" alone is none. What core accepts is core's to say.
// INVALID_ARGUMENT, which repeats no value, for what is no header, a file without any, a name that
// comes twice and a file that cannot be read.
absl::StatusOr<std::map<std::string, std::string>> ReadHeaders(
    const std::vector<std::string>& given);

}  // namespace tocsin::cli
