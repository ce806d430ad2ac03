// Says what is wrong with requests that cannot be read.
#pragma once

#include <grpcpp/support/server_interceptor.h>

#include <memory>

namespace tocsin::core {

// gRPC answers a request that is no message of its type, mostly for text that is not UTF-8, with an
// UNIMPLEMENTED that says nothing. This makes it a MalformedRequest. Pushes and streams of requests
// are left alone, and cost nothing.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> ExplainMalformedRequests();

}  // namespace tocsin::core
