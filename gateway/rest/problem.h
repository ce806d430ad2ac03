// Errors as application/problem+json (RFC 9457): what gRPC says, for people and programs that speak
// HTTP. Pure.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gateway/http/message.h"

namespace tocsin::gateway {

// The HTTP status of a gRPC code (google/rpc/code.proto says which).
int HttpStatusOf(absl::StatusCode code);
// "INVALID_ARGUMENT"
std::string CodeName(absl::StatusCode code);

// The word that programs can switch on: the reason that the error has; for what has none, since it
// comes from no code of ours, INTERNAL, CORE_UNREACHABLE, CORE_TOO_SLOW, METHOD_UNKNOWN, or else
// the name of the code. Never empty.
std::string ProblemReason(const absl::Status& status);

// One line of JSON: type, title, status, detail, code, domain, reason, requestId and, where there
// are any, violations. What only the log should know is not in it. `http_status` 0: that of the
// code.
std::string ProblemJson(const absl::Status& status, std::string_view request_id,
                        int http_status = 0);

// The same as an answer, with the headers that belong to it: Retry-After (in whole seconds, at
// least 1) for what a retry can cure, WWW-Authenticate for 401, and never one that lets a cache
// keep it.
http::Response ProblemAnswer(const absl::Status& status, std::string_view request_id,
                             int http_status = 0);

// What HTTP itself refuses.
http::Response NoResourceAnswer(std::string_view request_id);                            // 404
http::Response NotAllowedAnswer(const std::string& allow, std::string_view request_id);  // 405
http::Response NoJsonAnswer(std::string_view request_id);                                // 415

}  // namespace tocsin::gateway
