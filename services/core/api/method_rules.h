// What a method asks of its caller, read from its descriptor.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <optional>
#include <string>
#include <vector>

#include "services/core/domain/api_key.h"

namespace tocsin::core {

// Which projects a method touches.
enum class MethodScope {
  kNamed,  // that which a field of the request names
  kOwn,    // whatever the key gives access to: the handler shows no more
  kAll,    // all of them, so it needs a key of all projects
};

struct MethodRule {
  std::string name;  // "tocsin.v1.MonitorService/UpdateMonitor"
  // That of `required_role`; nullopt when the method has none, and nobody may call it.
  std::optional<Role> role;
  MethodScope scope = MethodScope::kAll;
  // Of kNamed: the way to the field, e.g. monitor, name.
  std::vector<const google::protobuf::FieldDescriptor*> field;
};

// By the `required_role` option, and the first variable of the path in the `google.api.http`
// annotation. A method without such a variable touches all projects, but for ListProjects,
// ExportMonitors and the streams of services; so do those that change projects.
MethodRule RuleOf(const google::protobuf::MethodDescriptor& method);

// What the request names: the project of "projects/{project}…", kDefaultProject where the field is
// empty. nullopt when it names none: the handler will say what is wrong with it.
std::optional<std::string> ProjectOf(const MethodRule& rule,
                                     const google::protobuf::Message& request);

}  // namespace tocsin::core
