// `--selector team=payments,critical`: labels, as terms of the API's filter.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tocsin::cli {

// The filter with the labels of every selector added. A selector is KEY=VALUE (or ==) and KEY (has
// it), separated by commas. INVALID_ARGUMENT for anything else.
absl::StatusOr<std::string> FilterOf(absl::string_view filter,
                                     const std::vector<std::string>& selectors);

}  // namespace tocsin::cli
