// Comments are written for users of gRPC.
#include "gateway/describe/prose.h"

#include <map>
#include <string>

#include "absl/strings/ascii.h"

namespace tocsin::gateway {
namespace {

using Names = std::map<std::string, std::string>;

// Only those that JSON writes differently.
Names NamesOf(const Contract& contract) {
  Names names;
  for (const auto* message : contract.Messages()) {
    for (int i = 0; i < message->field_count(); ++i) {
      const auto& field = *message->field(i);
      if (field.name() != field.json_name()) names[field.name()] = field.json_name();
    }
  }
  return names;
}

bool IsWordByte(char c) { return absl::ascii_isalnum(c) || c == '_'; }

std::string Renamed(const std::string& text, const Names& names) {
  std::string renamed;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && IsWordByte(text[end])) ++end;
    if (end == at) {
      renamed += text[at++];
      continue;
    }
    const std::string word = text.substr(at, end - at);
    const auto name = names.find(word);
    renamed += name == names.end() ? word : name->second;
    at = end;
  }
  return renamed;
}

void Rename(OrderedJson& node, const Names& names) {
  if (!node.is_structured()) return;
  for (auto& [key, value] : node.items()) {
    const bool prose = node.is_object() && (key == "summary" || key == "description");
    if (prose && value.is_string()) {
      value = Renamed(value.get<std::string>(), names);
    } else {
      Rename(value, names);
    }
  }
}

}  // namespace

void NameFieldsAsInJson(const Contract& contract, OrderedJson& document) {
  Rename(document, NamesOf(contract));
}

}  // namespace tocsin::gateway
