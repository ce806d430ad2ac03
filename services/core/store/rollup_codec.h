// Rollups as they are stored: some forty bytes for an hour of a steady job.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "services/core/domain/rollup.h"

namespace tocsin::core {

// A version, which is 1, and the four histograms: how many buckets; unless that is 0, minimum,
// maximum and mean; then for each bucket how far it is from the one before, and its count. What is
// stored outlives releases: a change of any of this is another version, beside this one.
std::string EncodeRollup(const Rollup& rollup);
// Its start is that of the row. DATA_LOSS for what is no rollup, or of a version that is not known.
absl::StatusOr<Rollup> DecodeRollup(std::string_view bytes, absl::Time start);

}  // namespace tocsin::core
