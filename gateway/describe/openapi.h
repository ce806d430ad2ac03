// The OpenAPI 3.1 document of everything that the gateway serves.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "gateway/describe/comments.h"
#include "gateway/describe/schemas.h"

namespace tocsin::gateway {

absl::StatusOr<OrderedJson> MakeOpenApi(const Contract& contract, const std::string& version);

}  // namespace tocsin::gateway
