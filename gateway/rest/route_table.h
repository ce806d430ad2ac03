// Which method of the public services a request means: made from the google.api.http annotations of
// the services themselves, so that a new method needs nothing here.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/rest/path_template.h"

namespace tocsin::gateway {

// One way to call one method.
struct RestBinding {
  const google::protobuf::MethodDescriptor* method = nullptr;
  std::string http_method;  // "GET"
  PathTemplate path;
  std::string body;  // "*", the name of a field, or empty: it takes none

  // As gRPC addresses it: "/tocsin.v1.MonitorService/GetMonitor".
  std::string FullMethod() const;
};

class RouteTable {
 public:
  // Every binding of every method of the services. INVALID_ARGUMENT when an annotation makes no
  // sense, or when two methods want the same requests.
  static absl::StatusOr<RouteTable> Make(
      const std::vector<const google::protobuf::ServiceDescriptor*>& services);

  // The binding for a request; nullptr when there is none.
  const RestBinding* Find(std::string_view http_method, const RequestPath& path) const;
  // The methods that a path can be requested with, "DELETE, GET, HEAD, PATCH"; empty when no path
  // like this exists.
  std::string Allowed(const RequestPath& path) const;

  const std::vector<RestBinding>& bindings() const { return bindings_; }

 private:
  std::vector<RestBinding> bindings_;  // the more specific first
};

// The services of package tocsin.v1, in order of name.
std::vector<const google::protobuf::ServiceDescriptor*> PublicServices();

}  // namespace tocsin::gateway
