// Spans of time as people write and read them.
#include "cli/duration.h"

#include <algorithm>
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

std::string ShowAge(absl::Duration age) {
  const int64_t seconds = std::max<int64_t>(0, absl::ToInt64Seconds(age));
  const auto two = [](int64_t large, const char* unit, int64_t small, const char* rest) {
    return absl::StrCat(large, unit, small == 0 ? "" : absl::StrCat(small, rest));
  };
  if (seconds < 60) return absl::StrCat(seconds, "s");
  if (seconds < 3600) return absl::StrCat(seconds / 60, "m");
  if (seconds < 86400) return two(seconds / 3600, "h", seconds / 60 % 60, "m");
  return two(seconds / 86400, "d", seconds / 3600 % 24, "h");
}

}  // namespace tocsin::cli
