// How summaries say times, durations, names and what jobs said.
#include "services/notifier/channel/wording.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "services/notifier/channel/message.h"

namespace tocsin::notifier {
namespace {

constexpr absl::string_view kEllipsis = "…";
constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";

std::string TwoUnits(int64_t large, const char* large_unit, int64_t small, const char* small_unit) {
  if (small == 0) return absl::StrCat(large, " ", large_unit);
  return absl::StrCat(large, " ", large_unit, " ", small, " ", small_unit);
}

// Takes the next character off `text`: its bytes, or the replacement character, and its code
// point. Refuses overlong forms and surrogates (RFC 3629).
absl::string_view NextCharacter(absl::string_view& text, uint32_t& code_point) {
  const auto byte = [&text](size_t i) -> uint32_t { return static_cast<unsigned char>(text[i]); };
  const uint32_t first = byte(0);
  size_t size = 1;
  uint32_t least = 0;
  code_point = first;
  if (first >= 0xC2 && first < 0xE0) {
    size = 2, least = 0x80, code_point = first & 0x1F;
  } else if (first >= 0xE0 && first < 0xF0) {
    size = 3, least = 0x800, code_point = first & 0x0F;
  } else if (first >= 0xF0 && first < 0xF5) {
    size = 4, least = 0x10000, code_point = first & 0x07;
  }
  bool valid = first < 0x80 || (size > 1 && text.size() >= size);
  for (size_t i = 1; valid && i < size; ++i) {
    valid = (byte(i) & 0xC0) == 0x80;
    code_point = (code_point << 6) | (byte(i) & 0x3F);
  }
  valid = valid && code_point >= least && code_point <= 0x10FFFF &&
          (code_point < 0xD800 || code_point > 0xDFFF);
  const absl::string_view character = valid ? text.substr(0, size) : kReplacement;
  if (!valid) code_point = 0xFFFD;
  text.remove_prefix(valid ? size : 1);
  return character;
}

// Characters that move the line, the cursor or the direction of the text.
bool IsHazard(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

std::string EscapeCharacter(absl::string_view character, uint32_t code_point, bool quotes) {
  if (code_point == '\n') return "\\n";
  if (code_point == '\r') return "\\r";
  if (code_point == '\t') return "\\t";
  if (IsHazard(code_point)) return absl::StrFormat("\\u%04x", code_point);
  if (quotes && (code_point == '"' || code_point == '\\')) return absl::StrCat("\\", character);
  return std::string(character);
}

std::string Escape(absl::string_view text, size_t max_bytes, bool quotes) {
  std::string out;
  size_t last_fit = 0;  // where to cut so that the ellipsis still fits
  while (!text.empty()) {
    uint32_t code_point = 0;
    const absl::string_view character = NextCharacter(text, code_point);
    const std::string piece = EscapeCharacter(character, code_point, quotes);
    if (out.size() + piece.size() > max_bytes) {
      out.resize(last_fit);
      return absl::StrCat(out, kEllipsis);
    }
    out += piece;
    if (out.size() + kEllipsis.size() <= max_bytes) last_fit = out.size();
  }
  return out;
}

std::string DateAndClock(absl::Time time, Precision precision, const absl::TimeZone& zone) {
  return absl::FormatTime(precision == Precision::kSeconds ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M",
                          time, zone);
}

}  // namespace

std::string DurationWords(absl::Duration duration) {
  const int64_t seconds = std::max<int64_t>(0, absl::ToInt64Seconds(duration));
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  if (hours >= 48) return TwoUnits(hours / 24, "d", hours % 24, "h");
  if (hours > 0) return TwoUnits(hours, "h", minutes % 60, "m");
  if (minutes > 0) return TwoUnits(minutes, "m", seconds % 60, "s");
  return absl::StrCat(seconds, " s");
}

std::string TimeWords(absl::Time time, Precision precision, const absl::TimeZone& zone) {
  return absl::StrCat(DateAndClock(time, precision, zone), " ", zone.name());
}

std::string SpanWords(absl::Time from, absl::Time to, Precision precision,
                      const absl::TimeZone& zone) {
  return absl::StrCat(DateAndClock(from, precision, zone), " to ", TimeWords(to, precision, zone));
}

std::string PlainText(absl::string_view text, size_t max_bytes) {
  return Escape(text, max_bytes, /*quotes=*/false);
}

std::string Quoted(absl::string_view text, size_t max_bytes) {
  return absl::StrCat("\"", Escape(text, max_bytes, /*quotes=*/true), "\"");
}

absl::string_view LastLine(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  const size_t newline = text.find_last_of("\n\r");
  if (newline != absl::string_view::npos) text.remove_prefix(newline + 1);
  return absl::StripLeadingAsciiWhitespace(text);
}

std::string Count(int64_t n, absl::string_view noun) {
  return absl::StrCat(n, " ", noun, n == 1 ? "" : "s");
}

std::string ShortName(absl::string_view resource_name) {
  const std::vector<absl::string_view> parts = absl::StrSplit(resource_name, '/');
  if (parts.size() != 4 || parts[1] == "default") {
    return PlainText(LastPart(resource_name), 128);
  }
  return PlainText(absl::StrCat(parts[1], "/", parts[3]), 256);
}

absl::string_view LastPart(absl::string_view resource_name) {
  const size_t slash = resource_name.rfind('/');
  return slash == absl::string_view::npos ? resource_name : resource_name.substr(slash + 1);
}

}  // namespace tocsin::notifier
