// The JSON Schema of the files that `tocsin apply` reads.
#include "cli/apply/schema.h"

#include <google/protobuf/duration.pb.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/apply/kind.h"
#include "nlohmann/json.hpp"

namespace tocsin::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::ordered_json;

// A file may leave a value empty, which is as if the field were left out.
Json OrNull(Json schema) {
  if (schema.contains("type")) {
    if (!schema["type"].is_array()) schema["type"] = Json::array({schema["type"]});
    schema["type"].push_back("null");
    return schema;
  }
  return {{"anyOf", Json::array({std::move(schema), {{"type", "null"}}})}};
}

// YAML has no quotes where JSON has: a text may look like a number.
Json TextSchema() { return {{"type", Json::array({"string", "number", "boolean"})}}; }

Json IdSchema() {
  return {{"type", Json::array({"string", "integer"})}, {"pattern", "^[a-z0-9][a-z0-9-]{0,62}$"}};
}

Json MessageSchema(const Kind& kind, const Descriptor& type);

Json EnumSchema(const google::protobuf::EnumDescriptor& type) {
  Json words = Json::array();
  for (int i = 0; i < type.value_count(); ++i) {
    if (!EnumWord(*type.value(i)).empty()) words.push_back(EnumWord(*type.value(i)));
  }
  for (int i = 0; i < type.value_count(); ++i) {
    if (!EnumWord(*type.value(i)).empty()) words.push_back(type.value(i)->name());
  }
  return {{"enum", std::move(words)}};
}

Json ValueSchema(const Kind& kind, const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (field.message_type() == google::protobuf::Duration::descriptor()) {
        return {{"type", "string"},
                {"pattern", "^([0-9]+d)?([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h))*$"},
                {"minLength", 2},
                {"examples", Json::array({"90s", "5m", "36h", "2d", "1h30m"})}};
      }
      return MessageSchema(kind, *field.message_type());
    case FieldDescriptor::CPPTYPE_STRING:
      return TextSchema();
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumSchema(*field.enum_type());
    case FieldDescriptor::CPPTYPE_BOOL:
      return {{"type", "boolean"}};
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return {{"type", "number"}};
    default:
      return {{"type", "integer"}};
  }
}

// Of labels, or of the headers of a channel.
Json KeySchema(const FieldDescriptor& field) {
  if (field.name() == "headers") return {{"pattern", "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$"}};
  return {{"pattern", "^[a-z0-9_.-]{1,63}$"}, {"not", {{"const", kSetLabel}}}};
}

Json FieldSchema(const Kind& kind, const FieldDescriptor& field) {
  if (field.is_map()) {
    return {{"type", "object"},
            {"propertyNames", KeySchema(field)},
            {"additionalProperties", ValueSchema(kind, *field.message_type()->map_value())}};
  }
  if (!field.is_repeated()) return ValueSchema(kind, field);
  return {{"type", "array"}, {"items", ValueSchema(kind, field)}};
}

Json MessageSchema(const Kind& kind, const Descriptor& type) {
  Json properties = Json::object();
  Json choices = Json::array();
  const bool whole = &type == kind.type;
  if (whole) properties["id"] = IdSchema();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (!kind.Declares(field)) continue;
    properties[field.json_name()] = OrNull(FieldSchema(kind, field));
    if (kind.Hides(field)) properties[field.json_name()]["writeOnly"] = true;
    if (field.real_containing_oneof() != nullptr) {
      choices.push_back({{"required", Json::array({field.json_name()})}});
    }
  }
  if (whole) {
    Json secret = TextSchema();
    secret["writeOnly"] = true;
    secret["description"] = kind.secret_help;
    properties[kind.secret] = std::move(secret);
  }
  Json schema = {{"type", "object"}};
  if (whole) schema["required"] = Json::array({"id"});
  if (whole && type.FindFieldByName("schedule") != nullptr)
    schema["required"].push_back("schedule");
  if (!choices.empty()) schema["oneOf"] = std::move(choices);
  schema["properties"] = std::move(properties);
  schema["additionalProperties"] = false;
  return schema;
}

}  // namespace

std::string ApplySchema() {
  Json properties = {{"project", IdSchema()}};
  properties["project"]["description"] =
      "The project of what follows; without it that of --project.";
  Json definitions = Json::object();
  for (const Kind* kind : Kinds()) {
    properties[kind->collection] = OrNull(
        {{"type", "array"}, {"items", {{"$ref", absl::StrCat("#/$defs/", kind->type->name())}}}});
    definitions[kind->type->name()] = MessageSchema(*kind, *kind->type);
  }
  const Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                       {"title", "What tocsin apply reads"},
                       {"description",
                        "One document of a file. A field that is left out has its default, and an "
                        "array or mapping is the whole of it. Texts may have ${env:NAME} and "
                        "${file:PATH}; $${ stands for ${."},
                       {"type", Json::array({"object", "null"})},
                       {"properties", std::move(properties)},
                       {"additionalProperties", false},
                       {"$defs", std::move(definitions)}};
  return absl::StrCat(schema.dump(2), "\n");
}

}  // namespace tocsin::cli
