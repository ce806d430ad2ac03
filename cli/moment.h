// Moments as people write them.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tocsin::cli {

// Reads "2026-11-25T10:00:00Z", in any zone. INVALID_ARGUMENT, with an example, for anything else.
absl::StatusOr<absl::Time> ParseInstant(const std::string& text);
// What is wrong with it; empty when nothing is. For CLI::Validator.
std::string InstantFault(const std::string& text);

google::protobuf::Timestamp ToProtoTime(absl::Time at);

}  // namespace tocsin::cli
