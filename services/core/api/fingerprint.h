// What makes two requests the same one.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "services/core/domain/request_identity.h"

namespace tocsin::core {

// SHA-256 of the message, the same for equal messages whatever the order of their maps.
std::string FingerprintOf(const google::protobuf::Message& message);

// Of a request that has a `request_id`.
template <typename Request>
RequestIdentity IdentityOf(const Request& request) {
  if (request.request_id().empty()) return {};
  Request bare = request;
  bare.clear_request_id();
  return {.id = request.request_id(), .fingerprint = FingerprintOf(bare)};
}

}  // namespace tocsin::core
