// The one mapping between absl::Status and grpc::Status, details included.
//
// Status details (common/status_details.h) travel as google.rpc.ErrorInfo (domain "tocsin"),
// BadRequest and RetryInfo inside a google.rpc.Status, as AIP-193 asks.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace tocsin {

grpc::Status ToGrpcStatus(const absl::Status& status);

// Unknown or malformed details are dropped; code and message always come through.
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace tocsin
