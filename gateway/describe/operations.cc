// Parameters, bodies, answers.
#include "gateway/describe/operations.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/describe/comments.h"
#include "gateway/rest/field_text.h"
#include "tocsin/v1/access.pb.h"

namespace tocsin::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;
using Segment = PathTemplate::Segment;

// "deliveries" → "delivery", "monitors" → "monitor"
std::string Singular(std::string plural) {
  if (plural.size() > 3 && plural.compare(plural.size() - 3, 3, "ies") == 0) {
    return plural.substr(0, plural.size() - 3) + "y";
  }
  if (!plural.empty() && plural.back() == 's') plural.pop_back();
  return plural;
}

// The name of the "*" at `index`.
std::string NameOf(const PathTemplate& path, size_t index) {
  return index == 0 ? "name" : Singular(path.segments()[index - 1].literal);
}

OrderedJson PathParameters(const RestBinding& binding) {
  OrderedJson parameters = OrderedJson::array();
  const auto& segments = binding.path.segments();
  for (size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].kind == Segment::Kind::kLiteral) continue;
    const std::string name = NameOf(binding.path, i);
    std::string description = absl::StrCat("The id of the ", name, ".");
    if (name == "project")
      description += " `default` always exists; `-` stands for all where that is said.";
    parameters.push_back({{"name", name},
                          {"in", "path"},
                          {"required", true},
                          {"description", description},
                          {"schema", {{"type", "string"}}}});
  }
  return parameters;
}

// The fields of the request that path and body leave to the query.
void AddQueryParameters(const Descriptor& type, const std::string& prefix,
                        const RestBinding& binding, Schemas& schemas, OrderedJson& parameters) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const auto& variables = binding.path.variables();
    const bool bound = std::any_of(variables.begin(), variables.end(), [&](const auto& variable) {
      return variable.field == field.name();
    });
    if (prefix.empty() && (bound || field.name() == binding.body)) continue;
    const std::string name = prefix + field.json_name();
    if (field.message_type() != nullptr && !IsTextMessage(*field.message_type())) {
      if (!field.is_repeated()) {
        AddQueryParameters(*field.message_type(), name + ".", binding, schemas, parameters);
      }
      continue;
    }
    OrderedJson schema = schemas.OfField(field);
    OrderedJson parameter = {{"name", name}, {"in", "query"}};
    if (SaysRequired(field)) parameter["required"] = true;
    if (schema.contains("description")) parameter["description"] = schema["description"];
    schema.erase("description");
    parameter["schema"] = std::move(schema);
    parameters.push_back(std::move(parameter));
  }
}

OrderedJson RequestBody(const RestBinding& binding, Schemas& schemas) {
  const Descriptor& type = *binding.method->input_type();
  OrderedJson schema;
  bool required = true;
  if (binding.body == "*") {
    std::set<std::string> bound;
    for (const auto& variable : binding.path.variables()) bound.insert(variable.field);
    schema = schemas.OfBody(type, bound);
    schema.erase("description");
    required = schema.contains("required");
  } else {
    const FieldDescriptor& field = *FindField(type, binding.body);
    schema = binding.http_method == "PATCH" ? schemas.ChangesReference(*field.message_type())
                                            : schemas.Reference(*field.message_type());
    required = SaysRequired(field);
  }
  return {{"required", required}, {"content", {{"application/json", {{"schema", schema}}}}}};
}

OrderedJson Responses(const RestBinding& binding, Schemas& schemas) {
  const Descriptor& output = *binding.method->output_type();
  OrderedJson ok;
  if (binding.method->server_streaming()) {
    ok = {
        {"description",
         "A stream of server-sent events: `id` is the cursor, `event` names what `data` holds, one "
         "line of JSON. `event: error` with a problem ends it. Comments keep it alive."},
        {"content",
         {{"text/event-stream",
           {{"schema",
             {{"type", "string"},
              {"description", "Each `data` is a JSON object of the schema below."},
              {"contentMediaType", "application/json"},
              {"contentSchema", schemas.Reference(output)}}}}}}}};
  } else {
    ok = {{"description", "It was done."},
          {"content", {{"application/json", {{"schema", schemas.Reference(output)}}}}}};
  }
  const OrderedJson problem = {{"$ref", "#/components/responses/Problem"}};
  return {{"200", ok}, {"4XX", problem}, {"5XX", problem}};
}

}  // namespace

std::string TagOf(const google::protobuf::ServiceDescriptor& service) {
  return std::string(absl::StripSuffix(service.name(), "Service"));
}

std::string OpenApiPath(const PathTemplate& path) {
  std::string text = "/api";
  for (size_t i = 0; i < path.segments().size(); ++i) {
    const Segment& segment = path.segments()[i];
    if (segment.kind == Segment::Kind::kLiteral) {
      absl::StrAppend(&text, "/", segment.literal);
    } else {
      absl::StrAppend(&text, "/{", NameOf(path, i), "}");
    }
  }
  return path.verb().empty() ? text : absl::StrCat(text, ":", path.verb());
}

OrderedJson OperationOf(const RestBinding& binding, Schemas& schemas) {
  const MethodDescriptor& method = *binding.method;
  const std::string comment = CommentOf(method);
  const v1::Role role = method.options().GetExtension(v1::required_role);
  std::string id = method.name();
  id[0] = absl::ascii_tolower(static_cast<unsigned char>(id[0]));
  OrderedJson operation = {{"operationId", id},
                           {"tags", {TagOf(*method.service())}},
                           {"summary", FirstSentence(comment)}};
  OrderedJson parameters = PathParameters(binding);
  if (binding.body != "*") {
    AddQueryParameters(*method.input_type(), "", binding, schemas, parameters);
  }
  if (method.server_streaming()) {
    parameters.push_back(
        {{"name", "Last-Event-ID"},
         {"in", "header"},
         {"description", "The id of the last event that was handled; wins over `cursor`."},
         {"schema", {{"type", "string"}}}});
  }
  std::string description = comment;
  if (role == v1::ROLE_UNSPECIFIED) {
    description += "\n\nNeeds no key: the request carries a credential of its own.";
    operation["description"] = description;
    operation["security"] = OrderedJson::array();
  } else {
    const std::string word = absl::AsciiStrToLower(absl::StripPrefix(v1::Role_Name(role), "ROLE_"));
    absl::StrAppend(&description, "\n\nNeeds a key with the role `", word, "`.");
    operation["description"] = description;
    operation["x-required-role"] = word;
    operation["security"] = OrderedJson::array({{{"key", {word}}}});
  }
  if (!parameters.empty()) operation["parameters"] = std::move(parameters);
  if (!binding.body.empty()) operation["requestBody"] = RequestBody(binding, schemas);
  operation["responses"] = Responses(binding, schemas);
  return operation;
}

}  // namespace tocsin::gateway
