// What a method asks of its caller, read from its descriptor.
#include "services/core/api/method_rules.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/api/annotations.pb.h"
#include "services/core/domain/names.h"
#include "tocsin/v1/access.pb.h"

namespace tocsin::core {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;

std::optional<Role> RequiredRole(const MethodDescriptor& method) {
  if (!method.options().HasExtension(v1::required_role)) return std::nullopt;
  switch (method.options().GetExtension(v1::required_role)) {
    case v1::ROLE_VIEWER:
      return Role::kViewer;
    case v1::ROLE_EDITOR:
      return Role::kEditor;
    case v1::ROLE_ADMIN:
      return Role::kAdmin;
    case v1::ROLE_PUSHER:
      return Role::kPusher;
    case v1::ROLE_GATEWAY:
      return Role::kGateway;
    case v1::ROLE_NOTIFIER:
      return Role::kNotifier;
    default:
      return std::nullopt;
  }
}

std::string PathOf(const MethodDescriptor& method) {
  const google::api::HttpRule& rule = method.options().GetExtension(google::api::http);
  switch (rule.pattern_case()) {
    case google::api::HttpRule::kGet:
      return rule.get();
    case google::api::HttpRule::kPut:
      return rule.put();
    case google::api::HttpRule::kPost:
      return rule.post();
    case google::api::HttpRule::kPatch:
      return rule.patch();
    case google::api::HttpRule::kDelete:
      return rule.delete_();
    default:
      return "";
  }
}

// Of "/v1/{monitor.name=projects/*/monitors/*}": monitor, name. Empty when there is no such
// variable.
std::vector<const FieldDescriptor*> FieldOf(const MethodDescriptor& method) {
  const std::string path = PathOf(method);
  const size_t begin = path.find('{');
  const size_t end = path.find("=projects/*", begin);
  if (begin == std::string::npos || end == std::string::npos) return {};
  std::vector<const FieldDescriptor*> fields;
  const Descriptor* message = method.input_type();
  const std::vector<std::string> parts =
      absl::StrSplit(path.substr(begin + 1, end - begin - 1), '.');
  for (const std::string& part : parts) {
    const FieldDescriptor* const field =
        message == nullptr ? nullptr : message->FindFieldByName(part);
    if (field == nullptr) return {};
    fields.push_back(field);
    message = field->message_type();  // null for a string
  }
  return fields;
}

}  // namespace

MethodRule RuleOf(const MethodDescriptor& method) {
  MethodRule rule;
  rule.name = absl::StrCat(method.service()->full_name(), "/", method.name());
  rule.role = RequiredRole(method);
  if (rule.role == Role::kGateway || rule.role == Role::kNotifier ||
      rule.name == "tocsin.v1.ProjectService/ListProjects" ||
      rule.name == "tocsin.internal.v1.MonitorExportService/ExportMonitors") {
    rule.scope = MethodScope::kOwn;
    return rule;
  }
  if (rule.role == Role::kAdmin && absl::StartsWith(rule.name, "tocsin.v1.ProjectService/")) {
    rule.scope = MethodScope::kAll;
    return rule;
  }
  rule.field = FieldOf(method);
  rule.scope = rule.field.empty() ? MethodScope::kAll : MethodScope::kNamed;
  return rule;
}

std::optional<std::string> ProjectOf(const MethodRule& rule,
                                     const google::protobuf::Message& request) {
  const google::protobuf::Message* message = &request;
  for (size_t i = 0; i + 1 < rule.field.size(); ++i) {
    message = &message->GetReflection()->GetMessage(*message, rule.field[i]);
  }
  const std::string name = message->GetReflection()->GetString(*message, rule.field.back());
  if (name.empty()) return std::string(kDefaultProject);
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  if (parts.size() < 2 || parts[0] != "projects" || parts[1].empty()) return std::nullopt;
  return parts[1];
}

}  // namespace tocsin::core
