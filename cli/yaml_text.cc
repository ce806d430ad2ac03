// What JSON says, as YAML.
#include "cli/yaml_text.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "cli/apply/writer.h"

namespace tocsin::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string Scalar(const Json& json) {
  if (json.is_string()) return YamlScalar(json.get_ref<const std::string&>());
  return json.dump();  // also of what is empty: {} and []
}

bool IsBlock(const Json& json) { return json.is_structured() && !json.empty(); }

// `begun`: the first line has its indentation already, behind "- ".
void Write(const Json& json, size_t indent, bool begun, std::string& out) {
  const std::string margin(indent, ' ');
  for (const auto& [name, value] : json.items()) {
    if (!begun) out += margin;
    begun = false;
    if (json.is_array()) {
      out += "- ";
      if (IsBlock(value)) {
        Write(value, indent + 2, /*begun=*/true, out);
      } else {
        absl::StrAppend(&out, Scalar(value), "\n");
      }
    } else if (IsBlock(value)) {
      absl::StrAppend(&out, YamlScalar(name), ":\n");
      Write(value, indent + 2, /*begun=*/false, out);
    } else {
      absl::StrAppend(&out, YamlScalar(name), ": ", Scalar(value), "\n");
    }
  }
}

}  // namespace

std::string ToYaml(const Json& json) {
  std::string out;
  if (!IsBlock(json)) return Scalar(json) + "\n";
  Write(json, 0, /*begun=*/false, out);
  return out;
}

std::string JsonToYaml(const std::string& json) {
  const Json parsed = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  return parsed.is_discarded() ? json : ToYaml(parsed);
}

}  // namespace tocsin::cli
