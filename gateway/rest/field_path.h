// Paths of fields in errors, as users of REST write them. Pure.
//
// Core names fields as the protos do, since its users are those of gRPC.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace tocsin::gateway {

// "monitor.failureThreshold" of "monitor.failure_threshold", a path in a request of the type.
// Places in lists ("channels[1]") and keys of maps stay; a path that leads to no field stays as a
// whole.
std::string InJsonNames(std::string_view path, const google::protobuf::Descriptor& request);

// The same error with the fields of its violations in names of JSON, also where its text begins
// with them. What it says besides stays.
absl::Status InJsonNames(const absl::Status& status, const google::protobuf::Descriptor& request);

}  // namespace tocsin::gateway
