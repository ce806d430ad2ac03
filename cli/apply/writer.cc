// Resources as YAML that `tocsin apply` reads.
#include "cli/apply/writer.h"

#include <google/protobuf/duration.pb.h>

#include <algorithm>
#include <array>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/apply/secrets.h"
#include "cli/table.h"
#include "cli/values.h"
#include "nlohmann/json.hpp"

namespace tocsin::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// What YAML 1.1 or 1.2 readers take for something else than text.
bool IsWord(absl::string_view text) {
  constexpr std::array<absl::string_view, 9> kWords = {"true", "false", "yes", "no", "on",
                                                       "off",  "null",  "y",   "n"};
  const std::string lower = absl::AsciiStrToLower(text);
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

bool IsPlain(absl::string_view text) {
  if (text.empty() || IsWord(text)) return false;
  const auto first = static_cast<unsigned char>(text.front());
  if (!absl::ascii_isalpha(first) && first != '/') return false;
  if (text.back() == ' ' || text.back() == ':' || absl::StrContains(text, ": ")) return false;
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) ||
           absl::StrContains(" _-./:@=+,", absl::string_view(reinterpret_cast<const char*>(&c), 1));
  });
}

// U+007F, and U+0080 to U+009F, which are C2 and the byte itself in UTF-8.
std::string EscapeControls(absl::string_view json) {
  std::string yaml;
  for (size_t i = 0; i < json.size(); ++i) {
    const auto c = static_cast<unsigned char>(json[i]);
    const auto next = static_cast<unsigned char>(i + 1 < json.size() ? json[i + 1] : 0);
    if (c == 0x7F) {
      yaml += "\\x7F";
    } else if (c == 0xC2 && next < 0xA0) {
      absl::StrAppend(&yaml, "\\x", absl::Hex(next, absl::kZeroPad2));
      ++i;
    } else {
      yaml += json[i];
    }
  }
  return yaml;
}

// What core makes of fields that are left out. (That nothing is written that differs from what core
// would make of it is what the test of the round trip holds.)
bool IsDefault(const FieldDescriptor& field, absl::string_view value) {
  constexpr std::pair<absl::string_view, absl::string_view> kDefaults[] = {
      {"tocsin.v1.Monitor.severity", "error"},
      {"tocsin.v1.Monitor.failure_threshold", "1"},
      {"tocsin.v1.Monitor.recovery_threshold", "1"},
      {"tocsin.v1.HeartbeatSchedule.grace", "0s"},
      {"tocsin.v1.Channel.format", "standard_webhook"},
  };
  return std::any_of(std::begin(kDefaults), std::end(kDefaults), [&](const auto& one) {
    return field.full_name() == one.first && value == one.second;
  });
}

// Also what it is without being told: the timeout.
bool IsTimeout(const Message& message, const FieldDescriptor& field, absl::string_view value) {
  const FieldDescriptor* const timeout = message.GetDescriptor()->FindFieldByName("timeout");
  if (field.name() != "recommended_interval" || timeout == nullptr) return false;
  const Message& other = message.GetReflection()->GetMessage(message, timeout);
  const auto* duration = dynamic_cast<const google::protobuf::Duration*>(&other);
  return duration != nullptr && Show(*duration) == value;
}

class Writer {
 public:
  explicit Writer(const Kind& kind) : kind_(kind) {}

  void Item(const Declaration& item) {
    for (const std::string& comment : item.comments) out_ += YamlComment(comment, "  ");
    absl::StrAppend(&out_, "  - id: ", YamlScalar(item.id), "\n");
    const auto* const reflection = item.message->GetReflection();
    for (const FieldDescriptor* field : kind_.Fields()) {
      if (kind_.Hides(*field)) {
        Hidden(item, *field);
      } else if (field->name() == "arm_on_create") {
        // What it is without being told.
        if (!reflection->GetBool(*item.message, field)) Line(4, *field, "false");
      } else if (field->name() != "display_name" ||
                 reflection->GetString(*item.message, field) != item.id) {
        Field(*item.message, *field, 4);
      }
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  void Line(size_t indent, const FieldDescriptor& field, absl::string_view value) {
    absl::StrAppend(&out_, std::string(indent, ' '), field.json_name(), ":",
                    value.empty() ? "" : " ", value, "\n");
  }

  // Where a secret of that name may come from.
  static std::string Variable(std::string name) {
    for (char& c : name) {
      c = absl::ascii_isalnum(static_cast<unsigned char>(c)) ? absl::ascii_toupper(c) : '_';
    }
    return absl::StrCat("${env:TOCSIN_SECRET_", name, "}");
  }

  void Hidden(const Declaration& item, const FieldDescriptor& field) {
    if (field.is_map()) return HiddenMap(item, field);
    const bool text = !field.is_repeated() && field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    absl::StrAppend(&out_,
                    "    # It is kept as it is while it is left out; core shows no more than ",
                    text ? OneLine(item.message->GetReflection()->GetString(*item.message, &field))
                         : "its name",
                    "\n    # ", field.json_name(), ": ", Variable(item.id), "\n");
  }

  // Its keys, if there are any.
  void HiddenMap(const Declaration& item, const FieldDescriptor& field) {
    const std::map<std::string, std::string> entries = Entries(*item.message, field);
    if (entries.empty()) return;
    absl::StrAppend(&out_,
                    "    # They are kept as they are while they are left out; core shows no more "
                    "than their names\n    # ",
                    field.json_name(), ":\n");
    for (const auto& [key, value] : entries) {
      absl::StrAppend(&out_, "    #   ", YamlScalar(key), ": ",
                      Variable(absl::StrCat(item.id, "_HEADER_", key)), "\n");
    }
  }

  void Field(const Message& message, const FieldDescriptor& field, size_t indent) {
    const auto* const reflection = message.GetReflection();
    if (field.is_map()) return Map(message, field, indent);
    if (field.is_repeated()) {
      const int size = reflection->FieldSize(message, &field);
      if (size == 0) return;
      Line(indent, field, "");
      for (int i = 0; i < size; ++i) {
        absl::StrAppend(&out_, std::string(indent + 2, ' '), "- ",
                        Text(reflection->GetRepeatedString(message, &field, i), field), "\n");
      }
      return;
    }
    if (!reflection->HasField(message, &field)) return;
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      const std::string value = Scalar(message, field);
      if (!value.empty() && !IsDefault(field, value)) Line(indent, field, value);
      return;
    }
    const Message& part = reflection->GetMessage(message, &field);
    if (const auto* duration = dynamic_cast<const google::protobuf::Duration*>(&part)) {
      const std::string value = Show(*duration);
      if (IsDefault(field, value) || IsTimeout(message, field, value)) return;
      return Line(indent, field, value);
    }
    Line(indent, field, "");
    for (int i = 0; i < part.GetDescriptor()->field_count(); ++i) {
      Field(part, *part.GetDescriptor()->field(i), indent + 2);
    }
  }

  std::map<std::string, std::string> Entries(const Message& message,
                                             const FieldDescriptor& field) const {
    const auto* const reflection = message.GetReflection();
    std::map<std::string, std::string> entries;
    for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
      const Message& entry = reflection->GetRepeatedMessage(message, &field, i);
      const auto* const type = field.message_type();
      const std::string key = entry.GetReflection()->GetString(entry, type->map_key());
      if (key != kSetLabel) entries[key] = Scalar(entry, *type->map_value());
    }
    return entries;
  }

  // In the order of the keys.
  void Map(const Message& message, const FieldDescriptor& field, size_t indent) {
    const std::map<std::string, std::string> entries = Entries(message, field);
    if (entries.empty()) return;
    Line(indent, field, "");
    for (const auto& [key, value] : entries) {
      absl::StrAppend(&out_, std::string(indent + 2, ' '), YamlScalar(key), ": ", value, "\n");
    }
  }

  std::string Text(absl::string_view text, const FieldDescriptor& field) const {
    const std::string of = kind_.ReferenceOf(field);
    if (!of.empty()) text = text.substr(text.rfind('/') + 1);
    return YamlScalar(EscapeSecrets(text));
  }

  std::string Scalar(const Message& message, const FieldDescriptor& field) const {
    const auto* const reflection = message.GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return Text(reflection->GetString(message, &field), field);
      case FieldDescriptor::CPPTYPE_ENUM:
        return EnumWord(*reflection->GetEnum(message, &field));
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection->GetBool(message, &field) ? "true" : "false";
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return nlohmann::json(reflection->GetDouble(message, &field)).dump();
      default:
        return absl::StrCat(reflection->GetInt32(message, &field));
    }
  }

  const Kind& kind_;
  std::string out_;
};

}  // namespace

std::string YamlScalar(absl::string_view text) {
  if (IsPlain(text)) return std::string(text);
  // A string of JSON is one of YAML, but for the control characters that JSON takes as they are.
  return EscapeControls(
      nlohmann::json(std::string(text))
          .dump(-1, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace));
}

std::string YamlComment(absl::string_view text, absl::string_view indent) {
  std::string comment;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::StrAppend(&comment, indent, line.empty() ? "#" : "# ", OneLine(line), "\n");
  }
  return comment;
}

std::string WriteCollection(const Kind& kind, const std::vector<Declaration>& items) {
  if (items.empty()) return "";
  Writer writer(kind);
  for (const Declaration& item : items) writer.Item(item);
  return absl::StrCat(kind.collection, ":\n", writer.Take());
}

}  // namespace tocsin::cli
