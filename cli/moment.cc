// Times as people type them.
#include "cli/moment.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace tocsin::cli {

absl::StatusOr<Moment> ParseMoment(absl::string_view text) {
  constexpr size_t kDateLength = sizeof("2026-03-10") - 1;
  std::string rfc3339(text);
  if (rfc3339.size() > kDateLength && rfc3339[kDateLength] == ' ') rfc3339[kDateLength] = 'T';
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, rfc3339, &time, &error) ||
      time == absl::InfiniteFuture() || time == absl::InfinitePast()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is no time; write e.g. \"2026-03-10 02:00:00Z\""));
  }
  const bool exact = absl::StrContains(text, ".");
  return Moment{time, time + (exact ? absl::Microseconds(1) : absl::Seconds(1))};
}

}  // namespace tocsin::cli
