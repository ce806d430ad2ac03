// What differs between two messages of a kind, field by field, for people.
#include "cli/apply/changes.h"

#include <google/protobuf/duration.pb.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/values.h"

namespace tocsin::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

struct Leaf {
  std::string path;  // of the proto
  std::string value;
};

class Flattener {
 public:
  explicit Flattener(const Kind& kind) : kind_(kind) {}

  void Add(const Message& message, const std::string& prefix = "") {
    const auto& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (kind_.Declares(field)) AddField(message, field, prefix + field.name());
    }
  }

  std::vector<Leaf> Take() { return std::move(leaves_); }

 private:
  void AddField(const Message& message, const FieldDescriptor& field, const std::string& path) {
    const auto* const reflection = message.GetReflection();
    if (field.is_map()) return AddMap(message, field, path);
    if (field.is_repeated()) {
      std::vector<std::string> items;
      for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
        items.push_back(Shown(field, reflection->GetRepeatedString(message, &field, i)));
      }
      if (!items.empty()) leaves_.push_back({path, absl::StrJoin(items, ", ")});
      return;
    }
    if (!reflection->HasField(message, &field)) return;
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      leaves_.push_back({path, Scalar(message, field)});
      return;
    }
    const Message& part = reflection->GetMessage(message, &field);
    if (const auto* duration = dynamic_cast<const google::protobuf::Duration*>(&part)) {
      leaves_.push_back({path, Show(*duration)});
    } else {
      Add(part, path + ".");
    }
  }

  void AddMap(const Message& message, const FieldDescriptor& field, const std::string& path) {
    std::map<std::string, std::string> sorted;
    const auto* const reflection = message.GetReflection();
    for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
      const Message& entry = reflection->GetRepeatedMessage(message, &field, i);
      sorted[entry.GetReflection()->GetString(entry, field.message_type()->map_key())] =
          Scalar(entry, *field.message_type()->map_value());
    }
    for (auto& [key, value] : sorted) {
      leaves_.push_back({absl::StrCat(path, ".", key), std::move(value)});
    }
  }

  std::string Shown(const FieldDescriptor& field, const std::string& text) const {
    return kind_.ReferenceOf(field).empty() ? text : IdOf(text);
  }

  std::string Scalar(const Message& message, const FieldDescriptor& field) const {
    const auto* const reflection = message.GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return Shown(field, reflection->GetString(message, &field));
      case FieldDescriptor::CPPTYPE_ENUM:
        return EnumWord(*reflection->GetEnum(message, &field));
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection->GetBool(message, &field) ? "true" : "false";
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return absl::StrCat(reflection->GetDouble(message, &field));
      default:
        return absl::StrCat(reflection->GetInt32(message, &field));
    }
  }

  const Kind& kind_;
  std::vector<Leaf> leaves_;
};

std::vector<Leaf> Flat(const Kind& kind, const Message* message) {
  if (message == nullptr) return {};
  Flattener flattener(kind);
  flattener.Add(*message);
  return flattener.Take();
}

std::string ValueOf(const std::vector<Leaf>& leaves, const std::string& path) {
  const auto found = std::find_if(leaves.begin(), leaves.end(),
                                  [&path](const Leaf& leaf) { return leaf.path == path; });
  return found == leaves.end() ? "" : found->value;
}

}  // namespace

std::vector<FieldChange> ChangesBetween(const Kind& kind, const Message* before,
                                        const Message& after, const std::set<std::string>& masked) {
  const std::vector<Leaf> was = Flat(kind, before);
  const std::vector<Leaf> is = Flat(kind, &after);
  std::vector<FieldChange> changes;
  const auto add = [&](const std::string& path, std::string from, std::string to) {
    if (from == to) return;
    if (masked.count(path) > 0) {
      for (std::string* value : {&from, &to}) {
        if (!value->empty()) *value = "(secret)";
      }
    }
    changes.push_back({JsonPath(path), std::move(from), std::move(to)});
  };
  for (const Leaf& leaf : is) add(leaf.path, ValueOf(was, leaf.path), leaf.value);
  for (const Leaf& leaf : was) {
    if (ValueOf(is, leaf.path).empty()) add(leaf.path, leaf.value, "");
  }
  return changes;
}

}  // namespace tocsin::cli
