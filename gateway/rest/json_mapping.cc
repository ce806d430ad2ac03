// The JSON mapping, field by field.
#include "gateway/rest/json_mapping.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "gateway/rest/field_text.h"

namespace tocsin::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;
using Json = nlohmann::json;

// How many faults are told: the rest of a body that has that many is hardly worth more words.
constexpr size_t kMaxViolations = 50;

std::string Join(const std::string& path, const std::string& name) {
  return path.empty() ? name : absl::StrCat(path, ".", name);
}

class Mapper {
 public:
  explicit Mapper(std::vector<FieldViolation>& violations) : violations_(violations) {}

  void Object(const Json& json, const std::string& path, Message& message) {
    if (!json.is_object()) return Fault(path, "must be an object");
    std::vector<const FieldDescriptor*> seen;
    std::vector<const OneofDescriptor*> chosen;
    for (const auto& [name, value] : json.items()) {
      const FieldDescriptor* field = FindField(*message.GetDescriptor(), name);
      if (field == nullptr) {
        Fault(Join(path, name), "is no field that is known here");
        continue;
      }
      const std::string field_path = Join(path, field->name());
      if (std::find(seen.begin(), seen.end(), field) != seen.end()) {
        Fault(field_path, "is given twice");
        continue;
      }
      seen.push_back(field);
      if (value.is_null()) continue;
      if (const OneofDescriptor* oneof = field->real_containing_oneof()) {
        if (std::find(chosen.begin(), chosen.end(), oneof) != chosen.end()) {
          Fault(field_path, absl::StrCat("excludes what else is given of \"", oneof->name(), "\""));
          continue;
        }
        chosen.push_back(oneof);
      }
      Field(value, field_path, *field, message);
    }
  }

 private:
  void Fault(const std::string& field, std::string description) {
    if (violations_.size() < kMaxViolations) violations_.push_back({field, std::move(description)});
  }

  void Field(const Json& json, const std::string& path, const FieldDescriptor& field,
             Message& message) {
    if (field.is_map()) return Map(json, path, field, message);
    if (!field.is_repeated()) return Value(json, path, field, message);
    if (!json.is_array()) return Fault(path, "must be a list");
    for (size_t i = 0; i < json.size(); ++i) {
      Value(json[i], absl::StrCat(path, "[", i, "]"), field, message);
    }
  }

  void Map(const Json& json, const std::string& path, const FieldDescriptor& field,
           Message& message) {
    if (!json.is_object()) return Fault(path, "must be an object");
    const FieldDescriptor& key = *field.message_type()->map_key();
    const FieldDescriptor& value = *field.message_type()->map_value();
    for (const auto& [name, content] : json.items()) {
      Message* entry = message.GetReflection()->AddMessage(&message, &field);
      const std::string entry_path = Join(path, name);
      if (absl::Status set = SetFromText(*entry, key, name); !set.ok()) {
        Fault(entry_path, absl::StrCat("is no key: it ", set.message()));
      }
      Value(content, entry_path, value, *entry);
    }
  }

  // One value of a field; `field` may be repeated.
  void Value(const Json& json, const std::string& path, const FieldDescriptor& field,
             Message& message) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
        !IsTextMessage(*field.message_type())) {
      const Reflection& reflection = *message.GetReflection();
      return Object(json, path,
                    field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                        : *reflection.MutableMessage(&message, &field));
    }
    std::string text;
    absl::Status status = absl::InvalidArgumentError(absl::StrCat("must be ", Expected(field)));
    if (TextOf(json, field, text)) status = SetFromText(message, field, text);
    if (!status.ok()) Fault(path, std::string(status.message()));
  }

  // What SetFromText reads, if the value is of the right kind. Numbers may come as strings and the
  // other way round only where protobuf's mapping says so.
  static bool TextOf(const Json& json, const FieldDescriptor& field, std::string& text) {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        if (!json.is_boolean()) return false;
        text = json.get<bool>() ? "true" : "false";
        return true;
      case FieldDescriptor::CPPTYPE_STRING:
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (!json.is_string()) return false;
        text = json.get<std::string>();
        return true;
      case FieldDescriptor::CPPTYPE_ENUM:
        if (json.is_string()) {
          text = json.get<std::string>();
          return true;
        }
        break;
      default:
        if (json.is_string()) {
          text = json.get<std::string>();
          return true;
        }
        if (json.is_number_float()) return Floating(json.get<double>(), field, text);
        break;
    }
    if (!json.is_number_integer()) return false;
    text = json.dump();
    return true;
  }

  // 1.0 and 1e3 are whole numbers as well.
  static bool Floating(double value, const FieldDescriptor& field, std::string& text) {
    const bool floating = field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE ||
                          field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT;
    if (floating) {
      text = Json(value).dump();
      return std::isfinite(value);
    }
    if (std::floor(value) != value || std::fabs(value) > 9007199254740992.0) return false;
    text = absl::StrCat(static_cast<int64_t>(value));
    return true;
  }

  std::vector<FieldViolation>& violations_;
};

void AppendPaths(const Json& json, const std::string& path, const Descriptor& type,
                 std::vector<std::string>& paths) {
  for (const auto& [name, value] : json.items()) {
    const FieldDescriptor* field = FindField(type, name);
    if (field == nullptr) continue;
    const std::string field_path = Join(path, field->name());
    const bool descend = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                         !field->is_repeated() && !IsTextMessage(*field->message_type()) &&
                         value.is_object() && !value.empty();
    if (descend) {
      AppendPaths(value, field_path, *field->message_type(), paths);
    } else {
      paths.push_back(field_path);
    }
  }
}

}  // namespace

void SetFromJson(const Json& json, const std::string& path, Message& message,
                 std::vector<FieldViolation>& violations) {
  Mapper(violations).Object(json, path, message);
}

std::vector<std::string> PathsOf(const Json& json, const Descriptor& type) {
  std::vector<std::string> paths;
  if (json.is_object()) AppendPaths(json, "", type, paths);
  return paths;
}

}  // namespace tocsin::gateway
