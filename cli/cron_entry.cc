// Cron expressions as other schedulers have them.
#include "cli/cron_entry.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/duration.h"
#include "cli/table.h"

namespace tocsin::cli {
namespace {

constexpr size_t kFields = 5;
constexpr absl::Duration kShortestRun = absl::Hours(1);
constexpr absl::Duration kLongestRun = absl::Hours(24);
constexpr std::array<absl::string_view, 19> kNames = {
    "sun", "mon", "tue", "wed", "thu", "fri", "sat", "jan", "feb", "mar",
    "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};

// Whether it looks like one, so that a line with too few is not taken for one whose command is
// another. Whether its numbers are good core says.
bool MayBeField(absl::string_view field) {
  while (!field.empty()) {
    size_t letters = 0;
    while (letters < field.size() && absl::ascii_isalpha(field[letters])) ++letters;
    if (letters == 0) {
      if (!absl::ascii_isdigit(field[0]) && !absl::StrContains("*,-/?~", field.substr(0, 1))) {
        return false;
      }
      field.remove_prefix(1);
      continue;
    }
    const std::string name = absl::AsciiStrToLower(field.substr(0, letters));
    if (std::none_of(kNames.begin(), kNames.end(),
                     [&](absl::string_view known) { return absl::StartsWith(name, known); })) {
      return false;
    }
    field.remove_prefix(letters);
  }
  return true;
}

struct FieldRange {
  const char* what;
  int low, high;
};
constexpr std::array<FieldRange, kFields> kRanges = {{{"minute", 0, 59},
                                                      {"hour", 0, 23},
                                                      {"day of the month", 1, 31},
                                                      {"month", 1, 12},
                                                      {"day of the week", 0, 7}}};
constexpr size_t kHour = 1, kDay = 2, kMonth = 3, kWeekday = 4;

// The first number of the field that is none of its range; the step behind a slash may be any.
std::string FaultOf(absl::string_view field, const FieldRange& range) {
  for (absl::string_view item : absl::StrSplit(field, ',')) {
    const std::vector<absl::string_view> bounds =
        absl::StrSplit(item.substr(0, item.find('/')), '-');
    for (const absl::string_view bound : bounds) {
      int number = 0;
      const bool is_name =
          !bound.empty() && absl::ascii_isalpha(static_cast<unsigned char>(bound[0]));
      if (bound == "*" || bound == "?" || is_name) continue;
      if (absl::SimpleAtoi(bound, &number) && number >= range.low && number <= range.high) continue;
      return absl::StrCat("\"", Shortened(OneLine(item)), "\" is no ", range.what,
                          "; accepted: ", range.low, " to ", range.high);
    }
  }
  return "";
}

// Whether the fields name days that no month among theirs has.
bool NeverComes(const std::vector<absl::string_view>& fields) {
  constexpr std::array<int, 13> kDays = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (fields[kWeekday] != "*" && fields[kWeekday] != "?") return false;
  int longest = 0;
  for (const absl::string_view item : absl::StrSplit(fields[kMonth], ',')) {
    int month = 0;
    if (!absl::SimpleAtoi(item, &month) || month < 1 || month > 12) return false;
    longest = std::max(longest, kDays[static_cast<size_t>(month)]);
  }
  for (const absl::string_view item : absl::StrSplit(fields[kDay], ',')) {
    int day = 0;
    if (!absl::SimpleAtoi(item, &day) || day <= longest) return false;
  }
  return true;
}

// The hours that the field names; none when it cannot be read.
std::vector<int> HoursOf(absl::string_view field) {
  std::vector<int> hours;
  for (const absl::string_view item : absl::StrSplit(field, ',')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(item, '/');
    const std::vector<absl::string_view> bounds = absl::StrSplit(parts[0], '-');
    int first = 0, last = 23, step = 1;
    if (parts[0] != "*" && !absl::SimpleAtoi(bounds[0], &first)) return {};
    if (bounds.size() == 2 && !absl::SimpleAtoi(bounds[1], &last)) return {};
    if (bounds.size() == 1 && parts[0] != "*" && parts.size() == 1) last = first;
    if (parts.size() == 2 && (!absl::SimpleAtoi(parts[1], &step) || step < 1)) return {};
    for (int hour = first; hour <= last; hour += std::min(step, 24)) hours.push_back(hour);
  }
  std::sort(hours.begin(), hours.end());
  hours.erase(std::unique(hours.begin(), hours.end()), hours.end());
  return hours;
}

// How long a run may take: the shortest time to the next, in whole hours and within a day.
absl::Duration LimitOf(absl::string_view expression) {
  if (expression == "@hourly") return absl::Hours(1);
  if (absl::StartsWith(expression, "@")) return kLongestRun;
  const std::vector<absl::string_view> fields = absl::StrSplit(expression, ' ');
  if (fields.size() != kFields) return kLongestRun;
  const bool several = fields[0].find_first_of("*,-/") != absl::string_view::npos;
  const std::vector<int> hours = HoursOf(fields[kHour]);
  if (several || hours.empty()) return kShortestRun;
  absl::Duration shortest = absl::Hours(hours.front() + 24 - hours.back());
  for (size_t i = 1; i < hours.size(); ++i) {
    shortest = std::min(shortest, absl::Hours(hours[i] - hours[i - 1]));
  }
  return std::clamp(shortest, kShortestRun, kLongestRun);
}

void ReadEvery(absl::string_view text, ImportedMonitor& entry) {
  const absl::StatusOr<absl::Duration> every = ParseDuration(text);
  if (!every.ok() || *every < absl::Seconds(1)) {
    entry.refusal = absl::StrCat("@every ", OneLine(text), " is no duration of 1 s or more");
    return;
  }
  v1::HeartbeatSchedule& heartbeat = *entry.monitor.mutable_schedule()->mutable_heartbeat();
  *heartbeat.mutable_timeout() = DurationProto(*every);
  *heartbeat.mutable_grace() = DurationProto(absl::Minutes(5));
  entry.notes.push_back(
      absl::StrCat("@every ", ShowDuration(*every), " becomes a timeout, with a grace of 5m"));
}

}  // namespace

void ReadCron(const CronSource& source, ImportedMonitor& entry) {
  absl::string_view text = absl::StripAsciiWhitespace(source.expression);
  if (absl::ConsumePrefix(&text, "@every ")) return ReadEvery(text, entry);
  if (absl::StartsWith(text, "@reboot")) {
    entry.skipped = "it runs when the machine starts, which is no schedule";
    return;
  }
  const std::vector<absl::string_view> fields =
      absl::StrSplit(text, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (fields.size() != kFields && !absl::StartsWith(text, "@")) {
    entry.refusal = absl::StrCat("\"", Shortened(OneLine(text)), "\" has ", fields.size(),
                                 " fields; accepted: five, or @daily and the like");
    return;
  }
  if (const auto odd = std::find_if_not(fields.begin(), fields.end(), &MayBeField);
      odd != fields.end() && !absl::StartsWith(text, "@")) {
    entry.refusal =
        absl::StrCat("\"", Shortened(OneLine(*odd)),
                     "\" is no field of a schedule; accepted: numbers, names of days and "
                     "months, and * , - / between them");
    return;
  }
  for (size_t i = 0; i < fields.size() && !absl::StartsWith(text, "@"); ++i) {
    if (absl::StrContains(fields[i], '~')) continue;
    entry.refusal = FaultOf(fields[i], kRanges[i]);
    if (!entry.refusal.empty()) return;
  }
  if (!absl::StartsWith(text, "@") && NeverComes(fields)) {
    entry.skipped = "it never runs: no month of its has that day";
    return;
  }
  if (absl::StrContains(text, '~')) {
    entry.refusal = absl::StrCat("\"", Shortened(OneLine(text)),
                                 "\" has times drawn at random; accepted: fixed ones");
    return;
  }
  v1::CronSchedule& cron = *entry.monitor.mutable_schedule()->mutable_cron();
  cron.set_expression(absl::StrReplaceAll(absl::StrJoin(fields, " "), {{"?", "*"}}));
  cron.set_time_zone(source.zone.empty() ? source.zone_default : source.zone);
  if (cron.time_zone().empty()) {
    cron.set_time_zone(source.zone_assumed);
    entry.notes.push_back(absl::StrCat("it says no time zone and is read as ", source.zone_assumed,
                                       "; --time-zone says another one"));
  }
}

void LimitRuns(ImportedMonitor& entry) {
  const v1::Schedule& schedule = entry.monitor.schedule();
  absl::Duration limit = kLongestRun;
  if (schedule.has_heartbeat()) {
    limit = std::clamp(absl::Seconds(schedule.heartbeat().timeout().seconds()), kShortestRun,
                       kLongestRun);
  } else if (schedule.has_cron()) {
    limit = LimitOf(schedule.cron().expression());
  } else {
    return;
  }
  *entry.monitor.mutable_max_run_duration() = DurationProto(limit);
}

}  // namespace tocsin::cli
