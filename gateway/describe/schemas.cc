// The JSON mapping in JSON Schema's words.
#include "gateway/describe/schemas.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "gateway/describe/comments.h"

namespace tocsin::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

OrderedJson Typed(const char* type, const char* format = nullptr) {
  OrderedJson schema = {{"type", type}};
  if (format != nullptr) schema["format"] = format;
  return schema;
}

OrderedJson RefTo(const std::string& name) {
  return {{"$ref", absl::StrCat("#/components/schemas/", name)}};
}

}  // namespace

std::string SchemaName(const std::string& full_name) {
  return absl::StrReplaceAll(absl::StripPrefix(full_name, "tocsin.v1."), {{".", ""}});
}

OrderedJson Schemas::OfField(const FieldDescriptor& field) {
  OrderedJson schema;
  if (field.is_map()) {
    schema = Typed("object");
    schema["additionalProperties"] = OfValue(*field.message_type()->map_value());
  } else if (field.is_repeated()) {
    schema = Typed("array");
    schema["items"] = OfValue(field);
  } else {
    schema = OfValue(field);
  }
  if (const std::string comment = CommentOf(field); !comment.empty()) {
    schema["description"] = comment;
  }
  if (SaysOutputOnly(field)) schema["readOnly"] = true;
  if (SaysInputOnly(field)) schema["writeOnly"] = true;
  return schema;
}

OrderedJson Schemas::OfValue(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return Typed("integer", "int32");
    case FieldDescriptor::CPPTYPE_UINT32:
      return Typed("integer", "uint32");
    case FieldDescriptor::CPPTYPE_INT64:
      return Typed("string", "int64");
    case FieldDescriptor::CPPTYPE_UINT64:
      return Typed("string", "uint64");
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Typed("number", "double");
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Typed("number", "float");
    case FieldDescriptor::CPPTYPE_BOOL:
      return Typed("boolean");
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? Typed("string", "byte")
                                                         : Typed("string");
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumReference(*field.enum_type());
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  const std::string& name = field.message_type()->full_name();
  if (name == "google.protobuf.Timestamp") return Typed("string", "date-time");
  if (name == "google.protobuf.Duration") {
    OrderedJson schema = Typed("string");
    schema["pattern"] = "^-?[0-9]+(\\.[0-9]{1,9})?s$";
    schema["examples"] = {"90s"};
    return schema;
  }
  if (name == "google.protobuf.FieldMask") {
    OrderedJson schema = Typed("string");
    schema["examples"] = {"owner,displayName"};
    return schema;
  }
  return Reference(*field.message_type());
}

OrderedJson Schemas::Reference(const Descriptor& type) {
  if (type.full_name() == "google.protobuf.Empty") return Typed("object");
  const std::string name = SchemaName(type.full_name());
  // Entered before it is made: a message may contain itself.
  if (components_.emplace(name, OrderedJson()).second) {
    components_[name] = Object(type, {}, /*with_required=*/true);
  }
  return RefTo(name);
}

OrderedJson Schemas::ChangesReference(const Descriptor& type) {
  const std::string name = SchemaName(type.full_name()) + "Changes";
  if (components_.emplace(name, OrderedJson()).second) {
    components_[name] = Object(type, {}, /*with_required=*/false);
  }
  return RefTo(name);
}

OrderedJson Schemas::OfBody(const Descriptor& type, const std::set<std::string>& without) {
  return Object(type, without, /*with_required=*/true);
}

OrderedJson Schemas::EnumReference(const EnumDescriptor& type) {
  const std::string name = SchemaName(type.full_name());
  if (!components_.emplace(name, OrderedJson()).second) return RefTo(name);
  OrderedJson schema = Typed("string");
  std::string description = CommentOf(type) + "\n";
  for (int i = 0; i < type.value_count(); ++i) {
    const auto& value = *type.value(i);
    schema["enum"].push_back(value.name());
    absl::StrAppend(&description, "\n- `", value.name(),
                    "`: ", absl::StrReplaceAll(CommentOf(value), {{"\n", " "}}));
  }
  schema["description"] = description;
  components_[name] = std::move(schema);
  return RefTo(name);
}

OrderedJson Schemas::Object(const Descriptor& type, const std::set<std::string>& without,
                            bool with_required) {
  OrderedJson schema = Typed("object");
  if (const std::string comment = CommentOf(type); !comment.empty())
    schema["description"] = comment;
  OrderedJson required = OrderedJson::array();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (without.count(field.name()) != 0) continue;
    schema["properties"][field.json_name()] = OfField(field);
    // Of alternatives none is required by itself.
    if (with_required && SaysRequired(field) && field.real_containing_oneof() == nullptr) {
      required.push_back(field.json_name());
    }
  }
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

}  // namespace tocsin::gateway
