// Moments as people write them.
#include "cli/moment.h"

#include "absl/strings/str_cat.h"

namespace tocsin::cli {

absl::StatusOr<absl::Time> ParseInstant(const std::string& text) {
  absl::Time at;
  if (absl::ParseTime(absl::RFC3339_full, text, &at, nullptr)) return at;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is no moment; accepted: 2026-11-25T10:00:00Z"));
}

std::string InstantFault(const std::string& text) {
  return std::string(ParseInstant(text).status().message());
}

google::protobuf::Timestamp ToProtoTime(absl::Time at) {
  google::protobuf::Timestamp proto;
  proto.set_seconds(absl::ToUnixSeconds(at));
  proto.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(at - absl::FromUnixSeconds(proto.seconds()))));
  return proto;
}

}  // namespace tocsin::cli
