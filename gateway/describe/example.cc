// Examples that work as they stand, given the ids that they name.
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gateway/describe/page.h"

namespace tocsin::gateway {
namespace {

// "monitorId" → "my-monitor"
std::string SampleId(const std::string& name) {
  std::string id = "my-";
  for (char c : name.substr(0, name.find("Id"))) {
    if (c >= 'A' && c <= 'Z') id += '-';
    id += static_cast<char>(c | 0x20);
  }
  return id;
}

const OrderedJson& Resolve(const OrderedJson& document, const OrderedJson& schema) {
  if (!schema.contains("$ref")) return schema;
  const std::string ref = schema["$ref"].get<std::string>().substr(1);
  return document.at(OrderedJson::json_pointer(ref));
}

OrderedJson SampleOf(const OrderedJson& document, const std::string& name,
                     const OrderedJson& schema, int depth);

// The required fields; without any, the first two that say something.
OrderedJson SampleObject(const OrderedJson& document, const OrderedJson& schema, int depth) {
  OrderedJson sample = OrderedJson::object();
  if (depth > 5 || !schema.contains("properties")) return sample;
  const OrderedJson& properties = schema["properties"];
  if (schema.contains("required")) {
    for (const auto& name : schema["required"]) {
      sample[name.get<std::string>()] =
          SampleOf(document, name, properties[name.get<std::string>()], depth + 1);
    }
    return sample;
  }
  for (const auto& [name, property] : properties.items()) {
    const OrderedJson& resolved = Resolve(document, property);
    const bool plain = property.value("type", "") == "string" || resolved.contains("properties");
    if (name == "name" || property.value("readOnly", false) || !plain) continue;
    sample[name] = SampleOf(document, name, property, depth + 1);
    if (sample.size() == (depth > 0 ? 1 : 2)) break;
  }
  return sample;
}

OrderedJson SampleOf(const OrderedJson& document, const std::string& name,
                     const OrderedJson& schema, int depth) {
  const OrderedJson& resolved = Resolve(document, schema);
  if (resolved.contains("enum")) return resolved["enum"][resolved["enum"].size() > 1 ? 1 : 0];
  if (resolved.contains("examples")) return resolved["examples"][0];
  const std::string type = resolved.value("type", "object");
  if (type == "object") return SampleObject(document, resolved, depth);
  if (type == "array") return OrderedJson::array();
  if (type == "boolean") return true;
  if (type == "integer" || type == "number") return 1;
  if (resolved.value("format", "") == "date-time") return "2026-01-05T12:00:00Z";
  if (name.size() >= 3 && (name == "url" || name.substr(name.size() - 3) == "Url")) {
    return "https://example.org/hook";
  }
  if (name == "pushToken") return "TOKEN";
  if (name == "displayName") return "My own";
  return SampleId(name);
}

}  // namespace

std::string CurlExample(const OrderedJson& document, const std::string& path,
                        const std::string& method, const OrderedJson& operation) {
  std::string url = path;
  std::string query;
  std::string headers;
  for (const auto& parameter : operation.value("parameters", OrderedJson::array())) {
    const std::string name = parameter["name"];
    const std::string sample = name == "project" ? "default"
                               : name == "token" ? "TOKEN"
                                                 : SampleId(name);
    if (parameter["in"] == "path") {
      url = absl::StrReplaceAll(url, {{absl::StrCat("{", name, "}"), sample}});
    } else if (parameter["in"] == "query" && parameter.value("required", false)) {
      absl::StrAppend(&query, query.empty() ? "?" : "&", name, "=", sample);
    }
  }
  std::string command = "curl -fsS";
  if (operation.contains("x-required-role")) command += " -H \"Authorization: Bearer $TOCSIN_KEY\"";
  if (path == "/api/push") command += " -H \"Authorization: Bearer TOKEN\"";
  for (const auto& [status, response] : operation["responses"].items()) {
    if (status == "200" && response["content"].contains("text/event-stream")) command += " -N";
  }
  std::string body;
  if (operation.contains("requestBody")) {
    const auto& schema = operation["requestBody"]["content"]["application/json"]["schema"];
    body = absl::StrCat(" \\\n  --json '", SampleOf(document, "", schema, 0).dump(), "'");
  }
  if (method != "get" && !(method == "post" && !body.empty())) {
    std::string upper;
    for (char c : method) upper += static_cast<char>(c & ~0x20);
    absl::StrAppend(&command, " -X ", upper);
  }
  return absl::StrCat(command, body, " \\\n  \"$TOCSIN_GATEWAY_URL", url, query, "\"");
}

}  // namespace tocsin::gateway
