// What the five fields of a cron expression allow.
#include "services/core/domain/cron_fields.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/any_string_view.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/text.h"

namespace tocsin::core {
namespace {

constexpr char kField[] = "expression";
constexpr char kAccepted[] =
    "five fields (minute, hour, day of month, month, day of week), e.g. 30 2 * * mon-fri, or one "
    "of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually";
// Of what is quoted in an error.
constexpr size_t kMaxShownBytes = 40;
// Numbers have two digits; leading zeros are no fault.
constexpr size_t kMaxDigits = 4;

constexpr std::array<std::pair<const char*, const char*>, 7> kNicknames = {{
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
}};

struct FieldKind {
  const char* name;
  int min;
  int max;
  // How many different values there are, the largest step.
  int count;
  const char* accepted;
  // Of three letters each, from `min` on; empty when values have no names.
  absl::string_view names;
};

constexpr FieldKind kMinute = {
    "minute", 0, 59, 60, "0 to 59, with ranges 10-20, steps */15 or 0-30/10, and lists 0,30", ""};
constexpr FieldKind kHour = {
    "hour", 0, 23, 24, "0 to 23, with ranges 9-17, steps */6 or 8-18/2, and lists 0,12", ""};
constexpr FieldKind kDay = {
    "day of month", 1, 31, 31, "1 to 31, with ranges 1-7, steps */2 or 1-15/7, and lists 1,15", ""};
constexpr FieldKind kMonth = {
    "month",
    1,
    12,
    12,
    "1 to 12 or jan to dec, with ranges 1-6, steps */3 or 2-12/2, and lists jan,jul",
    "janfebmaraprmayjunjulaugsepoctnovdec"};
constexpr FieldKind kWeekday = {
    "day of week",
    0,
    7,
    7,
    "0 to 7 (0 and 7 are Sunday) or sun to sat, with ranges mon-fri, steps 1-5/2, and lists "
    "sat,sun",
    "sunmontuewedthufrisat"};

// What is wrong, and what would not be.
struct Fault {
  std::string problem;
  std::string accepted;
};

std::string Quoted(absl::string_view text) {
  return absl::StrCat("\"", CleanText(std::string_view(text.data(), text.size()), kMaxShownBytes),
                      "\"");
}

bool IsDigits(absl::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c); });
}

uint64_t Bits(int first, int last, int step) {
  uint64_t bits = 0;
  for (int value = first; value <= last; value += step) bits |= uint64_t{1} << value;
  return bits;
}

// One field. Its functions return nothing once a fault was found.
class FieldParser {
 public:
  FieldParser(const FieldKind& kind, absl::string_view text) : kind_(kind), text_(text) {}

  std::optional<uint64_t> Parse() {
    uint64_t bits = 0;
    for (const absl::string_view item : absl::StrSplit(text_, ',')) {
      const std::optional<uint64_t> of_item = Item(item);
      if (!of_item.has_value()) return std::nullopt;
      bits |= *of_item;
    }
    return bits;
  }

  const Fault& fault() const { return fault_; }

 private:
  std::nullopt_t Refuse(std::string problem, std::string accepted) {
    fault_ = Fault{absl::StrCat("the ", kind_.name, " ", std::move(problem)), std::move(accepted)};
    return std::nullopt;
  }

  std::nullopt_t NotKnown(absl::string_view item) {
    if (absl::StrContains(item, '?')) {
      return Refuse(absl::StrCat(Quoted(item), " is not known"), "* for any");
    }
    const std::string lower = absl::AsciiStrToLower(item);
    const bool of_days = &kind_ == &kDay || &kind_ == &kWeekday;
    if (of_days && (absl::StrContains(lower, '#') || absl::StrContains(lower, 'l') ||
                    (&kind_ == &kDay && absl::StrContains(lower, 'w')))) {
      return Refuse(absl::StrCat(Quoted(item), " is not known: L, W and # are not supported"),
                    kind_.accepted);
    }
    return Refuse(absl::StrCat(Quoted(item), " is not known"), kind_.accepted);
  }

  // `*`, a value or a range; each range with or without a step.
  std::optional<uint64_t> Item(absl::string_view item) {
    if (item.empty()) {
      return Refuse(absl::StrCat(Quoted(text_), " has nothing on one side of a comma"),
                    kind_.accepted);
    }
    const std::vector<absl::string_view> parts = absl::StrSplit(item, absl::MaxSplits('/', 1));
    std::optional<std::pair<int, int>> range = Range(parts[0]);
    if (!range.has_value()) return std::nullopt;
    if (parts.size() == 1) return Bits(range->first, range->second, 1);

    int step = 0;
    if (!IsDigits(parts[1]) || parts[1].size() > kMaxDigits || !absl::SimpleAtoi(parts[1], &step) ||
        step < 1 || step > kind_.count) {
      return Refuse(absl::StrCat(Quoted(item), " has no step of 1 to ", kind_.count),
                    absl::StrCat("*/1 to */", kind_.count));
    }
    // Some take this for a range up to the end, others refuse it: nobody shall have to guess.
    if (parts[0] != "*" && !absl::StrContains(parts[0], '-')) {
      return Refuse(absl::StrCat(Quoted(item), " has a step but no range"),
                    absl::StrCat(range->first, "-", kind_.min + kind_.count - 1, "/", step));
    }
    return Bits(range->first, range->second, step);
  }

  std::optional<std::pair<int, int>> Range(absl::string_view text) {
    if (text == "*") return std::pair(kind_.min, kind_.max);
    const std::vector<absl::string_view> ends = absl::StrSplit(text, absl::MaxSplits('-', 1));
    const std::optional<int> first = Value(ends[0], text);
    if (!first.has_value()) return std::nullopt;
    if (ends.size() == 1) return std::pair(*first, *first);
    const std::optional<int> last = Value(ends[1], text);
    if (!last.has_value()) return std::nullopt;
    if (*first > *last) {
      return Refuse(absl::StrCat(Quoted(text), " is a range that runs backwards"),
                    ForwardRanges(*first, *last));
    }
    return std::pair(*first, *last);
  }

  // What somebody means who writes first-last.
  std::string ForwardRanges(int first, int last) const {
    if (&kind_ == &kWeekday && last == 0) return absl::StrCat(first, "-7");
    return absl::StrCat(first, "-", kind_.min + kind_.count - 1, ",", kind_.min, "-", last);
  }

  std::optional<int> Value(absl::string_view word, absl::string_view item) {
    if (IsDigits(word)) {
      int value = 0;
      if (word.size() > kMaxDigits || !absl::SimpleAtoi(word, &value) || value < kind_.min ||
          value > kind_.max) {
        return Refuse(absl::StrCat(Quoted(word), " is outside of ", kind_.min, " to ", kind_.max),
                      kind_.accepted);
      }
      return value;
    }
    if (word.size() == 3) {
      const std::string lower = absl::AsciiStrToLower(word);
      for (size_t at = 0; at < kind_.names.size(); at += 3) {
        if (kind_.names.substr(at, 3) == lower) return kind_.min + static_cast<int>(at / 3);
      }
    }
    return NotKnown(item);
  }

  const FieldKind& kind_;
  const absl::string_view text_;
  Fault fault_;
};

// Whether a month of `fields` has a day of `fields`.
bool EverFires(const CronFields& fields) {
  constexpr std::array<int, 13> kDays = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (fields.either_day) return true;
  for (size_t month = 1; month < kDays.size(); ++month) {
    // Sooner or later every date falls on every weekday.
    if ((fields.months >> month & 1) != 0 && (fields.days & Bits(1, kDays[month], 1)) != 0) {
      return true;
    }
  }
  return false;
}

absl::StatusOr<CronFields> ParseFiveFields(const std::vector<absl::string_view>& texts) {
  CronFields fields;
  FieldFaults faults;
  const auto parse = [&faults](const FieldKind& kind, absl::string_view text) {
    FieldParser parser(kind, text);
    const std::optional<uint64_t> bits = parser.Parse();
    if (!bits.has_value()) faults.Add(kField, parser.fault().problem, parser.fault().accepted);
    return bits.value_or(0);
  };
  fields.minutes = parse(kMinute, texts[0]);
  fields.hours = parse(kHour, texts[1]);
  fields.days = parse(kDay, texts[2]);
  fields.months = parse(kMonth, texts[3]);
  fields.weekdays = parse(kWeekday, texts[4]);
  if (!faults.empty()) return faults.ToStatus();

  const uint64_t seven = uint64_t{1} << 7;
  if ((fields.weekdays & seven) != 0) fields.weekdays = (fields.weekdays & ~seven) | 1;
  fields.either_day = texts[2][0] != '*' && texts[4][0] != '*';
  if (!EverFires(fields)) {
    return InvalidField(kField,
                        absl::StrCat("never fires: no month of ", Quoted(texts[3]), " has a day ",
                                     Quoted(texts[2])),
                        "a day of month that a month of the expression has");
  }
  return fields;
}

absl::StatusOr<CronFields> ParseNickname(absl::string_view word) {
  const std::string lower = absl::AsciiStrToLower(word);
  for (const auto& [nickname, meaning] : kNicknames) {
    if (lower == nickname) return ParseFiveFields(absl::StrSplit(meaning, ' '));
  }
  if (lower == "@reboot") {
    return InvalidField(kField, "@reboot names no time at which to expect anything", kAccepted);
  }
  if (absl::StartsWith(lower, "@every")) {
    return InvalidField(kField, "@every counts from no time of day",
                        "a heartbeat schedule with a timeout instead of a cron expression");
  }
  return InvalidField(kField, absl::StrCat(Quoted(word), " is not known"), kAccepted);
}

}  // namespace

absl::StatusOr<CronFields> ParseCronFields(std::string_view text) {
  if (text.size() > kMaxCronBytes) {
    return InvalidField(kField, absl::StrCat("is ", text.size(), " bytes long"),
                        absl::StrCat("at most ", kMaxCronBytes, " bytes"));
  }
  const std::vector<absl::string_view> fields =
      absl::StrSplit(AnyStringView(text).absl(), absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (fields.empty()) return InvalidField(kField, "is empty", kAccepted);
  if (absl::StartsWith(fields[0], "TZ=") || absl::StartsWith(fields[0], "CRON_TZ=")) {
    return InvalidField(kField, absl::StrCat("begins with ", Quoted(fields[0])),
                        "the time zone in the field time_zone");
  }
  if (fields[0][0] == '@')
    return ParseNickname(absl::StripAsciiWhitespace(AnyStringView(text).absl()));
  if (fields.size() == 6 || fields.size() == 7) {
    return InvalidField(
        kField, absl::StrCat("has ", fields.size(), " fields; seconds and years are not supported"),
        kAccepted);
  }
  if (fields.size() != 5) {
    return InvalidField(
        kField, absl::StrCat("has ", fields.size(), fields.size() == 1 ? " field" : " fields"),
        kAccepted);
  }
  return ParseFiveFields(fields);
}

}  // namespace tocsin::core
