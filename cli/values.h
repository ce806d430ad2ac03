// Durations, times and names: as people type and read them, and as messages carry them.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "CLI/App.hpp"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tocsin::cli {

// `flag` is a duration or empty; a flag that is neither is refused while parsing.
CLI::Option* AddDuration(CLI::App& app, const std::string& flag, std::string& value,
                         const std::string& help);
// The check of a flag that counts something.
CLI::Validator CountFromZero();
// Of a value that passed.
google::protobuf::Duration ToProto(absl::string_view duration);

// What cells show. Absent times are empty.
std::string Show(const google::protobuf::Duration& duration);
std::string Show(const google::protobuf::Timestamp& time);
// When it is.
absl::Time TimeOf(const google::protobuf::Timestamp& time);
google::protobuf::Timestamp ToProtoTime(absl::Time time);
// "up" of ("STATE_UP", "STATE_"); empty when unspecified.
std::string ShowEnum(absl::string_view name, absl::string_view prefix);
// "backup" of "projects/default/monitors/backup".
std::string IdOf(absl::string_view name);

}  // namespace tocsin::cli
