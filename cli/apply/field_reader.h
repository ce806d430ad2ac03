// The fields of a message as YAML has them: durations as 5m, enumerations as their words, names of
// resources as ids.
#pragma once

#include <google/protobuf/message.h>

#include <set>
#include <string>

#include "cli/apply/faults.h"
#include "cli/apply/resource.h"
#include "cli/apply/yaml.h"

namespace tocsin::cli {

class FieldReader {
 public:
  // Fills `resource.wanted`, `places` and `masked`. Both outlive this.
  FieldReader(const std::string& folder, Resource& resource, Faults& faults)
      : folder_(folder), resource_(resource), faults_(faults) {}

  // Sets the field that `entry` names, of the resource itself.
  void Read(const YamlEntry& entry);
  // A string, with the values that it has elsewhere; a fault and "" when it is none. `path` is as
  // the file has it.
  std::string Text(const YamlNode& value, const std::string& path, bool* secret = nullptr);

 private:
  using Field = google::protobuf::FieldDescriptor;
  using Message = google::protobuf::Message;

  void ReadField(const YamlEntry& entry, const std::string& prefix, Message& message);
  void ReadMessage(const YamlNode& value, const std::string& path, Message& message);
  void ReadMap(const YamlNode& value, const std::string& path, const Field& field,
               Message& message);
  void ReadValue(const YamlNode& value, const std::string& path, const Field& field,
                 Message& message);
  void ReadNumber(const YamlNode& value, const std::string& path, const Field& field,
                  Message& message);
  void ReadEnum(const YamlNode& value, const std::string& path, const Field& field,
                Message& message);
  std::string Reference(std::string text, const Field& field) const;
  void Wrong(const YamlNode& value, const std::string& path, absl::string_view accepted);

  const std::string& folder_;
  Resource& resource_;
  Faults& faults_;
  std::set<std::string> seen_;  // paths of fields, also of those without a value
};

// The key of a mapping; a fault and "" for anything but text.
std::string KeyOf(const YamlEntry& entry, Faults& faults);

}  // namespace tocsin::cli
