// Times as people type them.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tocsin::cli {

// From `begin` on, before `end`.
struct Moment {
  absl::Time begin;
  absl::Time end;
};

// Reads "2026-03-10 02:00:00Z", as tables show times, and "2026-03-10T02:00:00.25+01:00", as JSON
// does. What is written without a fraction is the whole second. INVALID_ARGUMENT, with an example,
// for anything else.
absl::StatusOr<Moment> ParseMoment(absl::string_view text);

}  // namespace tocsin::cli
