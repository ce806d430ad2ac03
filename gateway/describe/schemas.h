// Messages and enums as JSON schemas, by protobuf's JSON mapping.
#pragma once

#include <google/protobuf/descriptor.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace tocsin::gateway {

using OrderedJson = nlohmann::ordered_json;

// "Monitor", "MonitorState"
std::string SchemaName(const std::string& full_name);

// Collects the components that are referred to.
class Schemas {
 public:
  // The schema of a field's value, with the field's comment.
  OrderedJson OfField(const google::protobuf::FieldDescriptor& field);
  // A reference to the schema of a message.
  OrderedJson Reference(const google::protobuf::Descriptor& type);
  // The schema of a message without the fields that are given elsewhere in the request.
  OrderedJson OfBody(const google::protobuf::Descriptor& type,
                     const std::set<std::string>& without);
  // A reference to the same message with nothing required: what a PATCH sends.
  OrderedJson ChangesReference(const google::protobuf::Descriptor& type);

  // All of them by name.
  const std::map<std::string, OrderedJson>& components() const { return components_; }

 private:
  OrderedJson OfValue(const google::protobuf::FieldDescriptor& field);
  OrderedJson EnumReference(const google::protobuf::EnumDescriptor& type);
  OrderedJson Object(const google::protobuf::Descriptor& type, const std::set<std::string>& without,
                     bool with_required);

  std::map<std::string, OrderedJson> components_;
};

}  // namespace tocsin::gateway
