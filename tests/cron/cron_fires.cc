// Prints when cron expressions fire, for comparisons with other programs.
//
// Reads lines of four fields, separated by tabs: an expression, a time zone, a time in seconds of
// the Unix epoch, a count. Answers each with a line: as many fire times after that time, in
// seconds, separated by blanks; or "error" and why.
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/core/domain/cron.h"
#include "services/core/domain/time_zone.h"

namespace tocsin::core {
namespace {

std::string Answer(const std::string& line) {
  const std::vector<std::string> fields = absl::StrSplit(line, '\t');
  int64_t start = 0;
  int count = 0;
  if (fields.size() != 4 || !absl::SimpleAtoi(fields[2], &start) ||
      !absl::SimpleAtoi(fields[3], &count)) {
    return "error: a line is expression, zone, start and count, separated by tabs";
  }
  const absl::StatusOr<CronExpression> cron = CronExpression::Parse(fields[0]);
  if (!cron.ok()) return absl::StrCat("error: ", std::string(cron.status().message()));
  const absl::StatusOr<absl::TimeZone> zone = FindTimeZone(fields[1]);
  if (!zone.ok()) return absl::StrCat("error: ", std::string(zone.status().message()));

  std::vector<int64_t> fires;
  absl::Time time = absl::FromUnixSeconds(start);
  for (int i = 0; i < count; ++i) {
    time = cron->Next(time, *zone);
    fires.push_back(absl::ToUnixSeconds(time));
  }
  return absl::StrJoin(fires, " ");
}

}  // namespace
}  // namespace tocsin::core

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << tocsin::core::Answer(line) << '\n';
  }
  return 0;
}
