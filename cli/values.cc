// Durations, times and names: as people type and read them, and as messages carry them.
#include "cli/values.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "cli/duration.h"
#include "cli/table.h"

namespace tocsin::cli {

CLI::Option* AddDuration(CLI::App& app, const std::string& flag, std::string& value,
                         const std::string& help) {
  const auto fault = [](const std::string& text) {
    return std::string(ParseDuration(text).status().message());
  };
  return app.add_option(flag, value, help)->check(CLI::Validator(fault, "DURATION"));
}

CLI::Validator CountFromZero() {
  const auto fault = [](const std::string& text) -> std::string {
    int32_t count = 0;
    const bool digits = std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
    if (digits && absl::SimpleAtoi(text, &count)) return "";
    return absl::StrCat("\"", OneLine(text),
                        "\" is not accepted; accepted: whole numbers from 0 to 2147483647");
  };
  return CLI::Validator(fault, "NONNEGATIVE");
}

google::protobuf::Duration ToProto(absl::string_view duration) {
  absl::Duration rest = ParseDuration(duration).value_or(absl::ZeroDuration());
  google::protobuf::Duration proto;
  proto.set_seconds(absl::IDivDuration(rest, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

std::string Show(const google::protobuf::Duration& duration) {
  return ShowDuration(absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos()));
}

std::string Show(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M:%SZ", absl::FromUnixSeconds(time.seconds()),
                          absl::UTCTimeZone());
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string ShowEnum(absl::string_view name, absl::string_view prefix) {
  const std::string value = absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
  return value == "unspecified" ? "" : value;
}

std::string IdOf(absl::string_view name) {
  const size_t slash = name.rfind('/');
  return std::string(slash == absl::string_view::npos ? name : name.substr(slash + 1));
}

google::protobuf::Timestamp ToProtoTime(absl::Time time) {
  google::protobuf::Timestamp proto;
  proto.set_seconds(absl::ToUnixSeconds(time));
  proto.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(proto.seconds()))));
  return proto;
}

}  // namespace tocsin::cli
