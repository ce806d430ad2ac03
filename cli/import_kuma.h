// Monitors from Uptime Kuma. Pure.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "cli/import_batch.h"
#include "nlohmann/json.hpp"

namespace tocsin::cli {

// `exported` is the backup that version 1 writes, an object with `monitorList`; or that list alone,
// an array or an object by id, as clients of the API of version 2 (which has no backup) are sent
// it. Monitors that are no push monitors are skipped. INVALID_ARGUMENT when it is something else;
// what is wrong with one monitor refuses that monitor only. docs/compatibility.md says what becomes
// what.
absl::StatusOr<std::vector<ImportedMonitor>> FromUptimeKuma(const nlohmann::json& exported);

}  // namespace tocsin::cli
