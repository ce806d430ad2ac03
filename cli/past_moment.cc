// Times of the past as people type them.
#include "cli/past_moment.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/duration.h"
#include "cli/moment.h"

namespace tocsin::cli {

absl::StatusOr<absl::Time> ParsePast(absl::string_view text, absl::Time now) {
  if (const auto moment = ParseMoment(text); moment.ok()) return moment->begin;
  absl::string_view span = absl::StripAsciiWhitespace(text);
  if (absl::ConsumeSuffix(&span, "ago")) span = absl::StripTrailingAsciiWhitespace(span);
  if (const auto ago = ParseDuration(span); ago.ok()) return now - *ago;
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is no time; accepted: 2h ago, or ",
                                                 "\"2026-03-10 02:00:00Z\" as tables show it"));
}

}  // namespace tocsin::cli
