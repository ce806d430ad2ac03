// The fields of a message as YAML has them.
#include "cli/apply/field_reader.h"

#include <google/protobuf/duration.pb.h>

#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/apply/secrets.h"
#include "cli/duration.h"
#include "cli/table.h"
#include "cli/usage.h"
#include "cli/values.h"

namespace tocsin::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const FieldDescriptor* FieldOf(const Descriptor& type, const Kind& kind, absl::string_view name) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* const field = type.field(i);
    if (field->json_name() == name && kind.Declares(*field)) return field;
  }
  return nullptr;
}

// "unknown; did you mean …? accepted: …".
std::string Unknown(const Descriptor& type, const Kind& kind, const std::string& key) {
  std::vector<std::string> names;
  if (&type == kind.type) names = {"id", kind.secret};
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* const field = type.field(i);
    if (!kind.Declares(*field)) continue;
    names.push_back(field->json_name());
    if (key == field->name()) {
      return absl::StrCat("unknown field; did you mean ", field->json_name(), "?");
    }
  }
  const std::string nearest = Nearest(key, names);
  return absl::StrCat("unknown field; ",
                      nearest.empty() ? "" : absl::StrCat("did you mean ", nearest, "? "),
                      "accepted: ", absl::StrJoin(names, ", "));
}

std::string Below(const std::string& prefix, absl::string_view name) {
  return prefix.empty() ? std::string(name) : absl::StrCat(prefix, ".", name);
}

}  // namespace

const Place& Resource::PlaceOf(absl::string_view proto_path) const {
  while (!proto_path.empty()) {
    const auto found = places.find(std::string(proto_path));
    if (found != places.end()) return found->second;
    const size_t dot = proto_path.rfind('.');
    proto_path = proto_path.substr(0, dot == absl::string_view::npos ? 0 : dot);
  }
  return place;
}

std::string KeyOf(const YamlEntry& entry, Faults& faults) {
  if (entry.key.kind == YamlNode::Kind::kScalar) return entry.key.text;
  faults.Add(entry.key.place, "", absl::StrCat("a key is ", KindOf(entry.key), "; accepted: text"));
  return "";
}

void FieldReader::Wrong(const YamlNode& value, const std::string& path,
                        absl::string_view accepted) {
  const std::string name = path.substr(0, path.find('.'));
  const auto* const field = resource_.kind->type->FindFieldByName(name);
  const bool hidden = field != nullptr && resource_.kind->Hides(*field);
  const std::string is = hidden ? "not one"
                         : value.kind == YamlNode::Kind::kScalar
                             ? absl::StrCat("\"", Shortened(OneLine(value.text)), "\"")
                             : KindOf(value);
  faults_.Add(value.place, JsonPath(path), absl::StrCat("it is ", is, "; accepted: ", accepted));
}

std::string FieldReader::Text(const YamlNode& value, const std::string& path, bool* secret) {
  if (value.kind != YamlNode::Kind::kScalar) {
    Wrong(value, path, "text");
    return "";
  }
  absl::StatusOr<Expanded> expanded = ExpandSecrets(value.text, folder_);
  if (!expanded.ok()) {
    faults_.Add(value.place, JsonPath(path), std::string(expanded.status().message()));
    return "";
  }
  if (secret != nullptr) *secret = expanded->secret;
  return std::move(expanded->text);
}

void FieldReader::Read(const YamlEntry& entry) { ReadField(entry, "", *resource_.wanted); }

void FieldReader::ReadField(const YamlEntry& entry, const std::string& prefix, Message& message) {
  const std::string key = KeyOf(entry, faults_);
  if (key.empty()) return;
  const Descriptor& type = *message.GetDescriptor();
  const FieldDescriptor* const field = FieldOf(type, *resource_.kind, key);
  if (field == nullptr) {
    // As it was written, which may be the name in the proto.
    faults_.Add(entry.key.place, Below(JsonPath(prefix), key), Unknown(type, *resource_.kind, key));
    return;
  }
  const std::string path = Below(prefix, field->name());
  if (!seen_.insert(path).second) {
    faults_.Add(entry.key.place, JsonPath(path), "it comes twice");
    return;
  }
  if (entry.value.kind == YamlNode::Kind::kNull) return;  // as if it were left out
  resource_.places[path] = entry.value.place;
  const auto* const one_of = field->real_containing_oneof();
  if (one_of != nullptr && message.GetReflection()->HasOneof(message, one_of)) {
    const auto* const other =
        message.GetReflection()->GetOneofFieldDescriptor(message, one_of)->json_name().c_str();
    faults_.Add(entry.key.place, JsonPath(path),
                absl::StrCat("there is ", other, " already; accepted: one of the two"));
    return;
  }
  if (field->is_map()) return ReadMap(entry.value, path, *field, message);
  if (!field->is_repeated()) return ReadValue(entry.value, path, *field, message);
  if (entry.value.kind != YamlNode::Kind::kList) return Wrong(entry.value, path, "a list");
  for (const YamlNode& item : entry.value.items) ReadValue(item, path, *field, message);
}

void FieldReader::ReadMap(const YamlNode& value, const std::string& path, const Field& field,
                          Message& message) {
  if (value.kind != YamlNode::Kind::kMap) return Wrong(value, path, "a mapping");
  const Field& key_field = *field.message_type()->map_key();
  const Field& value_field = *field.message_type()->map_value();
  std::set<std::string> keys;
  for (const YamlEntry& entry : value.entries) {
    const std::string key = KeyOf(entry, faults_);
    if (key.empty()) continue;
    const std::string below = Below(path, key);
    if (!keys.insert(key).second) {
      faults_.Add(entry.key.place, JsonPath(below), "it comes twice");
      continue;
    }
    if (key == kSetLabel && path == "labels") {
      faults_.Add(entry.key.place, JsonPath(below), "the command line sets it itself: use --set");
      continue;
    }
    resource_.places.emplace(below, entry.value.place);
    Message& item = *message.GetReflection()->AddMessage(&message, &field);
    item.GetReflection()->SetString(&item, &key_field, key);
    ReadValue(entry.value, below, value_field, item);
  }
}

void FieldReader::ReadMessage(const YamlNode& value, const std::string& path, Message& message) {
  if (message.GetDescriptor() == google::protobuf::Duration::descriptor()) {
    const std::string text = value.kind == YamlNode::Kind::kScalar ? value.text : "";
    if (!ParseDuration(text).ok()) {
      return Wrong(value, path, "a duration, e.g. 90s, 5m, 36h, 2d or 1h30m");
    }
    if (path == "schedule.cron.grace" && *ParseDuration(text) == absl::ZeroDuration()) {
      return Wrong(value, path, "a duration above 0; without it 5m");
    }
    message.CopyFrom(ToProto(text));
    return;
  }
  if (value.kind != YamlNode::Kind::kMap) return Wrong(value, path, "a mapping");
  for (const YamlEntry& entry : value.entries) ReadField(entry, path, message);
}

void FieldReader::ReadValue(const YamlNode& value, const std::string& path, const Field& field,
                            Message& message) {
  const auto* const reflection = message.GetReflection();
  switch (field.cpp_type()) {
    case Field::CPPTYPE_MESSAGE:
      return ReadMessage(value, path,
                         field.is_repeated() ? *reflection->AddMessage(&message, &field)
                                             : *reflection->MutableMessage(&message, &field));
    case Field::CPPTYPE_STRING: {
      bool secret = false;
      std::string text = Reference(Text(value, path, &secret), field);
      if (secret) resource_.masked.insert(path);
      if (field.is_repeated()) return reflection->AddString(&message, &field, std::move(text));
      return reflection->SetString(&message, &field, std::move(text));
    }
    case Field::CPPTYPE_ENUM:
      return ReadEnum(value, path, field, message);
    case Field::CPPTYPE_BOOL: {
      const std::string text = value.plain ? absl::AsciiStrToLower(value.text) : "";
      if (text != "true" && text != "false") return Wrong(value, path, "true or false");
      return reflection->SetBool(&message, &field, text == "true");
    }
    default:
      return ReadNumber(value, path, field, message);
  }
}

void FieldReader::ReadNumber(const YamlNode& value, const std::string& path, const Field& field,
                             Message& message) {
  const auto* const reflection = message.GetReflection();
  if (field.cpp_type() == Field::CPPTYPE_DOUBLE) {
    double number = 0;
    if (!value.plain || !absl::SimpleAtod(value.text, &number) || !std::isfinite(number)) {
      return Wrong(value, path, "a number");
    }
    return reflection->SetDouble(&message, &field, number);
  }
  int32_t number = 0;
  if (!value.plain || !absl::SimpleAtoi(value.text, &number)) {
    return Wrong(value, path, "a whole number");
  }
  reflection->SetInt32(&message, &field, number);
}

void FieldReader::ReadEnum(const YamlNode& value, const std::string& path, const Field& field,
                           Message& message) {
  std::vector<std::string> words;
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    const EnumValueDescriptor& one = *field.enum_type()->value(i);
    const std::string word = EnumWord(one);
    if (word.empty()) continue;
    if (value.kind == YamlNode::Kind::kScalar && (value.text == word || value.text == one.name())) {
      return message.GetReflection()->SetEnum(&message, &field, &one);
    }
    words.push_back(word);
  }
  Wrong(value, path, absl::StrJoin(words, ", "));
}

std::string FieldReader::Reference(std::string text, const Field& field) const {
  const std::string of = resource_.kind->ReferenceOf(field);
  if (of.empty() || text.empty() || absl::StartsWith(text, "projects/")) return text;
  return absl::StrCat(resource_.Parent(), "/", of, "/", text);
}

}  // namespace tocsin::cli
