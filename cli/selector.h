// `--selector team=payments,critical`: labels, as terms of the API's filter.
#pragma once

#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tocsin::cli {

// The filter with the labels of every selector added. A selector is KEY=VALUE (or ==) and KEY (has
// it), separated by commas; severity and owner with a value are the monitor's fields.
// INVALID_ARGUMENT for anything else.
absl::StatusOr<std::string> FilterOf(absl::string_view filter,
                                     const std::vector<std::string>& selectors);

// Adds --filter and -l, --selector to a command that is about monitors; for FilterOf.
void AddSelection(CLI::App& app, std::string& filter, std::vector<std::string>& selectors);

}  // namespace tocsin::cli
