// Times of the past as people type them.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tocsin::cli {

// "2h" and "2h ago" are so long before `now`; what ParseMoment reads is itself. INVALID_ARGUMENT,
// with examples, for anything else.
absl::StatusOr<absl::Time> ParsePast(absl::string_view text, absl::Time now);

}  // namespace tocsin::cli
