// The kinds of resource that files declare, and which of their fields files have. What a field is
// like comes from the messages of tocsin.v1, so that a new one is read, written and compared at
// once.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace tocsin::cli {

// Says which set of files made a monitor: `tocsin apply --set NAME --prune` deletes by it. Files do
// not have it.
inline constexpr char kSetLabel[] = "tocsin.set";

struct Kind {
  std::string word;        // "monitor"
  std::string collection;  // "monitors", in files and in names
  const google::protobuf::Descriptor* type = nullptr;
  // Fields (names of the proto) that are the server's: output only, or the name.
  std::vector<std::string> not_declared = {};
  // Fields that hold names of resources, and the collection of those: files may have ids alone.
  std::vector<std::pair<std::string, std::string>> references = {};
  // Fields that reads do not show as they were given. Left out of a file, they stay as they are.
  std::vector<std::string> hidden = {};
  // What a file may give to a creation beside the message, e.g. "pushTokenSha256"; never read back.
  std::string secret = "";
  std::string secret_help = "";

  bool Declares(const google::protobuf::FieldDescriptor& field) const;
  bool Hides(const google::protobuf::FieldDescriptor& field) const;
  // The collection that a field names resources of; empty when it does not.
  std::string ReferenceOf(const google::protobuf::FieldDescriptor& field) const;
  // Those that files have, in the order of the proto.
  std::vector<const google::protobuf::FieldDescriptor*> Fields() const;
};

const Kind& MonitorKind();
const Kind& ChannelKind();
// In the order in which they are made: monitors name channels.
std::vector<const Kind*> Kinds();

// "critical" of SEVERITY_CRITICAL; empty for the one that is unspecified.
std::string EnumWord(const google::protobuf::EnumValueDescriptor& value);

// "scheduleCron" of "schedule_cron", part by part: the path of a file for one of the proto. What
// follows "labels." or "headers." is a key, and stays.
std::string JsonPath(absl::string_view proto_path);

}  // namespace tocsin::cli
