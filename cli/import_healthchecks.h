// Monitors from Healthchecks. Pure.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "cli/import_batch.h"
#include "nlohmann/json.hpp"

namespace tocsin::cli {

// `exported` is the answer of GET /api/v3/checks/ (v1 and v2 have the same fields), asked with a
// key that may write: the others are not told the ping URLs. INVALID_ARGUMENT when it is something
// else; what is wrong with one check refuses that check only. docs/compatibility.md says what
// becomes what.
absl::StatusOr<std::vector<ImportedMonitor>> FromHealthchecks(const nlohmann::json& exported);

}  // namespace tocsin::cli
