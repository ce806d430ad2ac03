// Spans of time as people write and read them.
#include "cli/duration.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tocsin::cli {
namespace {

absl::Status Unreadable(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is no duration; write e.g. 90s, 5m, 36h, 2d or 1h30m"));
}

constexpr int64_t kMostDays = 100'000;

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  absl::Duration days = absl::ZeroDuration();
  const size_t d = rest.find('d');
  if (d != absl::string_view::npos) {
    int64_t count = 0;
    if (!absl::SimpleAtoi(rest.substr(0, d), &count) || count < 0 || count > kMostDays) {
      return Unreadable(text);
    }
    days = absl::Hours(24 * count);
    rest.remove_prefix(d + 1);
    if (rest.empty()) return days;
  }
  absl::Duration others;
  if (!absl::ParseDuration(rest, &others) || others < absl::ZeroDuration() ||
      others == absl::InfiniteDuration()) {
    return Unreadable(text);
  }
  return days + others;
}

std::string ShowDuration(absl::Duration duration) {
  constexpr absl::Duration kDay = absl::Hours(24);
  if (duration >= 2 * kDay && duration % kDay == absl::ZeroDuration()) {
    return absl::StrCat(duration / kDay, "d");
  }
  if (duration == absl::ZeroDuration()) return "0s";
  return absl::FormatDuration(duration);
}

}  // namespace tocsin::cli
