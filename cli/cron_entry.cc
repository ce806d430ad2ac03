// Cron expressions as other schedulers have them.
#include "cli/cron_entry.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
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

}  // namespace tocsin::cli
