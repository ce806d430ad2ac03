// Annotations → bindings.
#include "gateway/rest/route_table.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/any_string_view.h"
#include "common/status_macros.h"
#include "gateway/rest/field_text.h"
#include "google/api/annotations.pb.h"
#include "tocsin/public_services.h"

namespace tocsin::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

absl::Status Wrong(const MethodDescriptor& method, AnyStringView what) {
  return absl::InvalidArgumentError(absl::StrCat(method.full_name(), ": ", what.absl()));
}

// The field that a path such as "monitor.name" leads to.
const FieldDescriptor* FieldAt(const Descriptor& type, std::string_view path) {
  const Descriptor* in = &type;
  while (in != nullptr) {
    const size_t dot = path.find('.');
    const FieldDescriptor* field = FindField(*in, path.substr(0, dot));
    if (field == nullptr || dot == std::string_view::npos) return field;
    in = field->message_type();
    path.remove_prefix(dot + 1);
  }
  return nullptr;
}

std::pair<std::string, std::string> Pattern(const google::api::HttpRule& rule) {
  switch (rule.pattern_case()) {
    case google::api::HttpRule::kGet:
      return {"GET", rule.get()};
    case google::api::HttpRule::kPut:
      return {"PUT", rule.put()};
    case google::api::HttpRule::kPost:
      return {"POST", rule.post()};
    case google::api::HttpRule::kDelete:
      return {"DELETE", rule.delete_()};
    case google::api::HttpRule::kPatch:
      return {"PATCH", rule.patch()};
    case google::api::HttpRule::kCustom:
      return {rule.custom().kind(), rule.custom().path()};
    case google::api::HttpRule::PATTERN_NOT_SET:
      break;
  }
  return {};
}

absl::StatusOr<RestBinding> MakeBinding(const MethodDescriptor& method,
                                        const google::api::HttpRule& rule) {
  auto [http_method, text] = Pattern(rule);
  if (http_method.empty()) return Wrong(method, "the annotation names no HTTP method");
  auto path = PathTemplate::Parse(text);
  if (!path.ok()) return Wrong(method, path.status().message());
  for (const PathTemplate::Variable& variable : path->variables()) {
    const FieldDescriptor* field = FieldAt(*method.input_type(), variable.field);
    if (field == nullptr || field->is_repeated() ||
        field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      return Wrong(method, absl::StrCat("\"", variable.field, "\" is no field for a path"));
    }
  }
  if (!rule.response_body().empty()) return Wrong(method, "response_body is not supported");
  if (!rule.body().empty() && rule.body() != "*") {
    const FieldDescriptor* field = FindField(*method.input_type(), rule.body());
    if (field == nullptr || field->is_repeated() || field->message_type() == nullptr) {
      return Wrong(method, absl::StrCat("\"", rule.body(), "\" is no field for a body"));
    }
  }
  return RestBinding{.method = &method,
                     .http_method = std::move(http_method),
                     .path = *std::move(path),
                     .body = rule.body()};
}

// Two templates with the same shape would both match a request.
std::string ShapeOf(const RestBinding& binding) {
  std::string shape = binding.http_method;
  for (const PathTemplate::Segment& segment : binding.path.segments()) {
    absl::StrAppend(&shape, "/",
                    segment.kind == PathTemplate::Segment::Kind::kLiteral ? segment.literal
                    : segment.kind == PathTemplate::Segment::Kind::kAny   ? "*"
                                                                          : "**");
  }
  return absl::StrCat(shape, ":", binding.path.verb());
}

}  // namespace

std::string RestBinding::FullMethod() const {
  return absl::StrCat("/", method->service()->full_name(), "/", method->name());
}

absl::StatusOr<RouteTable> RouteTable::Make(const std::vector<const ServiceDescriptor*>& services) {
  RouteTable table;
  std::set<std::string> shapes;
  for (const ServiceDescriptor* service : services) {
    for (int i = 0; i < service->method_count(); ++i) {
      const MethodDescriptor& method = *service->method(i);
      if (!method.options().HasExtension(google::api::http)) continue;
      const google::api::HttpRule& rule = method.options().GetExtension(google::api::http);
      std::vector<const google::api::HttpRule*> rules = {&rule};
      for (const auto& more : rule.additional_bindings()) rules.push_back(&more);
      for (const google::api::HttpRule* each : rules) {
        ASSIGN_OR_RETURN(RestBinding binding, MakeBinding(method, *each));
        if (!shapes.insert(ShapeOf(binding)).second) {
          return Wrong(method, absl::StrCat("\"", binding.path.text(), "\" is another method's"));
        }
        table.bindings_.push_back(std::move(binding));
      }
    }
  }
  std::stable_sort(table.bindings_.begin(), table.bindings_.end(),
                   [](const RestBinding& a, const RestBinding& b) {
                     return a.path.Specificity() > b.path.Specificity();
                   });
  return table;
}

const RestBinding* RouteTable::Find(std::string_view http_method, const RequestPath& path) const {
  for (const RestBinding& binding : bindings_) {
    if (binding.http_method == http_method && binding.path.Matches(path)) return &binding;
  }
  return nullptr;
}

std::string RouteTable::Allowed(const RequestPath& path) const {
  std::set<std::string> methods;
  for (const RestBinding& binding : bindings_) {
    if (!binding.path.Matches(path)) continue;
    methods.insert(binding.http_method);
    if (binding.http_method == "GET") methods.insert("HEAD");
  }
  return absl::StrJoin(methods, ", ");
}

std::vector<const ServiceDescriptor*> PublicServices() {
  std::vector<const ServiceDescriptor*> services;
  for (const std::string& name : PublicServiceFiles()) {
    const auto* file = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
    for (int i = 0; file != nullptr && i < file->service_count(); ++i) {
      services.push_back(file->service(i));
    }
  }
  std::sort(services.begin(), services.end(),
            [](const auto* a, const auto* b) { return a->full_name() < b->full_name(); });
  return services;
}

}  // namespace tocsin::gateway
