// One binding of a method as an OpenAPI operation.
#pragma once

#include <string>

#include "gateway/describe/schemas.h"
#include "gateway/rest/route_table.h"

namespace tocsin::gateway {

// "/api/v1/projects/{project}/monitors/{monitor}:pause": a "*" is named after what stands before
// it.
std::string OpenApiPath(const PathTemplate& path);
// "Monitor" of tocsin.v1.MonitorService.
std::string TagOf(const google::protobuf::ServiceDescriptor& service);

OrderedJson OperationOf(const RestBinding& binding, Schemas& schemas);

}  // namespace tocsin::gateway
