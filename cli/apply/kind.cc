// The kinds of resource that files declare, and which of their fields files have.
#include "cli/apply/kind.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "tocsin/v1/channel.pb.h"
#include "tocsin/v1/monitor.pb.h"

namespace tocsin::cli {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;

bool Has(const std::vector<std::string>& names, const FieldDescriptor& field) {
  return std::find(names.begin(), names.end(), field.name()) != names.end();
}

// "Severity" → "SEVERITY_", as the style of protos has it.
std::string PrefixOf(const google::protobuf::EnumDescriptor& type) {
  std::string prefix;
  for (const char c : type.name()) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c)) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(static_cast<unsigned char>(c));
  }
  return prefix + "_";
}

}  // namespace

bool Kind::Declares(const FieldDescriptor& field) const {
  return field.containing_type() != type || !Has(not_declared, field);
}

bool Kind::Hides(const FieldDescriptor& field) const {
  return field.containing_type() == type && Has(hidden, field);
}

std::string Kind::ReferenceOf(const FieldDescriptor& field) const {
  if (field.containing_type() != type) return "";
  for (const auto& [name, of] : references) {
    if (name == field.name()) return of;
  }
  return "";
}

std::vector<const FieldDescriptor*> Kind::Fields() const {
  std::vector<const FieldDescriptor*> fields;
  for (int i = 0; i < type->field_count(); ++i) {
    if (Declares(*type->field(i))) fields.push_back(type->field(i));
  }
  return fields;
}

const Kind& MonitorKind() {
  static const Kind& kind =
      *new Kind{.word = "monitor",
                .collection = "monitors",
                .type = v1::Monitor::descriptor(),
                .not_declared = {"name", "state", "condition", "deadline_time", "last_heartbeat",
                                 "open_incident", "unverified", "create_time", "update_time",
                                 "delete_time", "state_change_time", "expect_time",
                                 "in_maintenance", "flapping", "mute_expire_time", "runs", "etag"},
                .references = {{"channels", "channels"}},
                .secret = "pushTokenSha256",
                .secret_help =
                    "The SHA-256 of the push token, 64 hexadecimal digits, when it is made: for a "
                    "token that you have drawn yourself. A monitor that exists keeps its token."};
  return kind;
}

const Kind& ChannelKind() {
  static const Kind& kind = *new Kind{
      .word = "channel",
      .collection = "channels",
      .type = v1::Channel::descriptor(),
      .not_declared = {"name", "disable_time", "disable_reason", "failing_since", "last_error",
                       "create_time", "update_time", "etag", "old_secret_expire_time"},
      .references = {{"fallback_channel", "channels"}},
      .hidden = {"url", "headers"},
      .secret = "webhookSecret",
      .secret_help =
          "The secret that signs messages, whsec_ and base64 of 24 to 64 bytes, or "
          "PagerDuty's routing key, when it is made, e.g. ${env:WEBHOOK_SECRET}. A "
          "channel that exists keeps its secret."};
  return kind;
}

std::vector<const Kind*> Kinds() { return {&ChannelKind(), &MonitorKind()}; }

std::string EnumWord(const EnumValueDescriptor& value) {
  if (value.number() == 0) return "";
  return absl::AsciiStrToLower(absl::StripPrefix(value.name(), PrefixOf(*value.type())));
}

std::string JsonPath(absl::string_view proto_path) {
  std::string path;
  bool upper = false;
  for (size_t i = 0; i < proto_path.size(); ++i) {
    if (proto_path[i] == '.' &&
        (absl::EndsWith(path, "labels") || absl::EndsWith(path, "headers"))) {
      return path.append(proto_path.substr(i).data(), proto_path.size() - i);
    }
    if (proto_path[i] == '_') {
      upper = true;
      continue;
    }
    const auto c = static_cast<unsigned char>(proto_path[i]);
    path += upper ? absl::ascii_toupper(c) : static_cast<char>(c);
    upper = false;
  }
  return path;
}

}  // namespace tocsin::cli
