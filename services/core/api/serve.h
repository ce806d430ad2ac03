// The whole of a unary call: the gate, the handler's work, the answer.
#pragma once

#include <grpcpp/grpcpp.h>

#include "services/core/api/gate.h"
#include "services/core/api/unary.h"

namespace tocsin::core {

// `body` takes `const Access&` and returns the status of the call; it is not run for a caller who
// may not.
template <typename Request, typename Body>
grpc::ServerUnaryReactor* Serve(Gate& gate, grpc::CallbackServerContext* context,
                                const Request& request, Body body) {
  Access access;
  absl::Status status = gate.Admit(*context, *Request::descriptor(), &request, access);
  if (status.ok()) status = body(access);
  return Finish(context, access.caller, status);
}

}  // namespace tocsin::core
