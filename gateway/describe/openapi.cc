// The document: generated operations, and the push routes, which no service describes.
#include "gateway/describe/openapi.h"

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "gateway/describe/operations.h"
#include "gateway/describe/prose.h"
#include "gateway/rest/route_table.h"

namespace tocsin::gateway {
namespace {

constexpr char kDescription[] =
    "Tocsin is a push monitor: jobs send heartbeats, and it tells when one is late or says that it "
    "failed. This is what its gateway serves: pushes below `/api/push`, management below "
    "`/api/v1`. "
    "The same services speak gRPC.\n\n"
    "Names of fields are camelCase; those of the proto are understood as well. A field that has "
    "its "
    "default value (`0`, `false`, an empty string or list) is left out of answers. Times are "
    "`2026-01-05T12:00:00Z`, durations `90s`, whole numbers of 64 bits are strings. A parameter or "
    "field that is not known is refused.";

OrderedJson PushParameter(const char* name, const char* description) {
  return {{"name", name},
          {"in", "query"},
          {"description", description},
          {"schema", {{"type", "string"}}}};
}

OrderedJson JsonContent(const char* schema) {
  return {{"application/json",
           {{"schema", {{"$ref", absl::StrCat("#/components/schemas/", schema)}}}}}};
}

OrderedJson PathParameter(const char* name, const char* description) {
  return {{"name", name},
          {"in", "path"},
          {"required", true},
          {"description", description},
          {"schema", {{"type", "string"}}}};
}

// Where a push says which monitor it is of.
enum class PushDoor { kHeader, kToken, kKey, kKeyAndAction };

OrderedJson PushOperation(const std::string& id, PushDoor door) {
  OrderedJson parameters = OrderedJson::array();
  const bool by_key = door == PushDoor::kKey || door == PushDoor::kKeyAndAction;
  if (door == PushDoor::kToken) {
    parameters.push_back(PathParameter("token", "The push token of the monitor."));
  }
  if (by_key) {
    parameters.push_back(PathParameter("key", "A push key of the monitor's project."));
    parameters.push_back(PathParameter("monitor", "The id of the monitor."));
  }
  if (door == PushDoor::kKeyAndAction) {
    parameters.push_back(PathParameter(
        "action",
        "What happened: `start`, `fail`, `log`, or an exit status from 0 (up) to 255. It decides "
        "over `status`."));
  }
  parameters.push_back(PushParameter(
      "status",
      "`up` (the default), `down`, `start` or `log`; also `ok`, `fail`, `error` and others."));
  parameters.push_back(PushParameter("msg", "What a person should read, up to 4,096 bytes."));
  parameters.push_back(PushParameter("value", "A number to keep; `ping` is another name of it."));
  parameters.push_back(PushParameter("run", "Pairs a start with its end."));
  parameters.push_back(PushParameter(
      "exit_status",
      "0 to 255, kept with the heartbeat; without `status`, other than 0 means `down`."));
  if (by_key) {
    parameters.push_back(PushParameter(
        "create", "`1` makes a monitor that is missing, if the key may; the answer is 201 then."));
  }
  const OrderedJson error = {{"description", "It was not recorded, and why."},
                             {"content", JsonContent("PushError")}};
  OrderedJson operation = {
      {"operationId", id},
      {"tags", {"Heartbeats"}},
      {"summary", "Pushes a heartbeat"},
      {"description",
       "Pushes a heartbeat. The answer comes after it is durable. HEAD, PUT and PATCH do the same. "
       "Parameters may also come in a form or JSON body; those that are not known are ignored."}};
  operation["security"] = OrderedJson::array();
  if (door == PushDoor::kHeader) {
    operation["security"].push_back({{"pushToken", OrderedJson::array()}});
  }
  operation["parameters"] = std::move(parameters);
  operation["responses"] = {
      {"200",
       {{"description", "The heartbeat is recorded."}, {"content", JsonContent("PushAnswer")}}},
      {"4XX", error},
      {"5XX", error}};
  if (by_key) {
    operation["responses"]["201"] = {
        {"description", "It is recorded, and the monitor was created."},
        {"content", JsonContent("PushAnswer")}};
  }
  return operation;
}

OrderedJson ScrapeOperation() {
  const auto parameter = [](const char* name, const char* description) {
    return OrderedJson{{"name", name},
                       {"in", "query"},
                       {"description", description},
                       {"schema", {{"type", "string"}}}};
  };
  OrderedJson operation = {
      {"operationId", "scrapeMonitors"},
      {"tags", {"Metrics"}},
      {"summary", "Shows every monitor to Prometheus"},
      {"description",
       "Shows every monitor to Prometheus, in its text format: state, owner, severity and labels, "
       "newest heartbeat, deadline, value. An answer that breaks off has no end, so that nobody "
       "takes it for the whole.\n\nNeeds a key with the role `viewer`."},
      {"x-required-role", "viewer"}};
  operation["security"] = OrderedJson::array({{{"key", OrderedJson::array({"viewer"})}}});
  operation["parameters"] = {
      parameter("project", "The id of a project; absent means all that the key gives access to."),
      parameter("filter", "Which monitors, as in `listMonitors`; absent means all.")};
  operation["responses"] = {{"200",
                             {{"description", "The metrics."},
                              {"content", {{"text/plain", {{"schema", {{"type", "string"}}}}}}}}},
                            {"default", {{"$ref", "#/components/responses/Problem"}}}};
  return operation;
}

OrderedJson Text(const char* description) {
  return {{"type", "string"}, {"description", description}};
}

void AddOwnSchemas(OrderedJson& schemas) {
  schemas["Problem"] = {
      {"type", "object"},
      {"description", "An error (RFC 9457)."},
      {"properties",
       {{"type", Text("Always `about:blank`: `code` and `reason` say what it is.")},
        {"title", Text("The HTTP status in words.")},
        {"status", {{"type", "integer"}, {"description", "The HTTP status."}}},
        {"detail", Text("What went wrong, for people.")},
        {"code", Text("The gRPC code, e.g. `NOT_FOUND`.")},
        {"domain", Text("Whose word the reason is: always `tocsin`.")},
        {"reason", Text("A word that programs can switch on, e.g. `MONITOR_NOT_FOUND`.")},
        {"violations",
         {{"type", "array"},
          {"description", "Every field that is wrong."},
          {"items",
           {{"type", "object"},
            {"properties",
             {{"field", Text("Its path in the request, e.g. `monitor.displayName`.")},
              {"description", Text("What is wrong, and what is accepted.")}}},
            {"required", {"field", "description"}}}}}},
        {"requestId", Text("Finds the request in the logs.")}}},
      {"required", {"type", "title", "status", "detail", "code", "domain", "reason", "requestId"}}};
  schemas["PushAnswer"] = {{"type", "object"},
                           {"properties",
                            {{"ok", {{"type", "boolean"}}},
                             {"message", Text("What was done.")},
                             {"msg", Text("`OK`, for clients that know it.")},
                             {"warning", Text("What of the request could not be used.")}}},
                           {"required", {"ok", "message", "msg"}}};
  schemas["PushError"] = {{"type", "object"},
                          {"properties",
                           {{"ok", {{"type", "boolean"}}},
                            {"error", Text("What went wrong.")},
                            {"msg", Text("The same, for clients that know it.")}}},
                          {"required", {"ok", "error", "msg"}}};
}

OrderedJson Components(const Schemas& schemas) {
  OrderedJson all;
  for (const auto& [name, schema] : schemas.components()) all[name] = schema;
  AddOwnSchemas(all);
  const OrderedJson problem = {
      {"description", "An error. `Retry-After` says when to try again, if that can help."},
      {"headers",
       {{"Retry-After", {{"description", "Seconds."}, {"schema", {{"type", "integer"}}}}},
        {"X-Request-Id", {{"schema", {{"type", "string"}}}}}}},
      {"content",
       {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
  return {{"schemas", all},
          {"responses", {{"Problem", problem}}},
          {"securitySchemes",
           {{"key",
             {{"type", "http"},
              {"scheme", "bearer"},
              {"description", "A key of the API, `tk_…`. What it may do is said by its role."}}},
            {"pushToken",
             {{"type", "http"}, {"scheme", "bearer"}, {"description", "A push token."}}}}}};
}

}  // namespace

absl::StatusOr<OrderedJson> MakeOpenApi(const Contract& contract, const std::string& version) {
  ASSIGN_OR_RETURN(const RouteTable table, RouteTable::Make(contract.services()));
  Schemas schemas;
  OrderedJson tags = {{{"name", "Heartbeats"}, {"description", "Pushing over plain HTTP."}}};
  OrderedJson paths;
  for (const char* method : {"get", "post"}) {
    const std::string by = method == std::string("get") ? "ByGet" : "ByPost";
    paths["/api/push/{token}"][method] = PushOperation("push" + by, PushDoor::kToken);
    paths["/api/push"][method] = PushOperation("pushWithHeader" + by, PushDoor::kHeader);
    paths["/api/push/{key}/{monitor}"][method] = PushOperation("pushWithKey" + by, PushDoor::kKey);
    paths["/api/push/{key}/{monitor}/{action}"][method] =
        PushOperation("pushActionWithKey" + by, PushDoor::kKeyAndAction);
  }
  std::set<std::string> ids;
  for (const auto* service : contract.services()) {
    tags.push_back({{"name", TagOf(*service)}, {"description", CommentOf(*service)}});
    for (int i = 0; i < service->method_count(); ++i) {
      for (const RestBinding& binding : table.bindings()) {
        if (binding.method != service->method(i)) continue;
        OrderedJson operation = OperationOf(binding, schemas);
        std::string id = operation["operationId"];
        // Further bindings of one method, and methods of the same name in two services.
        for (int n = 2; !ids.insert(id).second; ++n) {
          id = absl::StrCat(operation["operationId"].get<std::string>(), n);
        }
        operation["operationId"] = id;
        paths[OpenApiPath(binding.path)][absl::AsciiStrToLower(binding.http_method)] = operation;
      }
    }
  }
  tags.push_back({{"name", "Metrics"}, {"description", "Monitors as Prometheus reads them."}});
  paths["/metrics/monitors"]["get"] = ScrapeOperation();
  OrderedJson document = {{"openapi", "3.1.0"},
                          {"info",
                           {{"title", "Tocsin"},
                            {"version", version},
                            {"description", kDescription},
                            {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
                          {"servers", {{{"url", "/"}, {"description", "This gateway."}}}},
                          {"security", {{{"key", OrderedJson::array()}}}},
                          {"tags", tags},
                          {"paths", paths},
                          {"components", Components(schemas)}};
  NameFieldsAsInJson(contract, document);
  return document;
}

}  // namespace tocsin::gateway
