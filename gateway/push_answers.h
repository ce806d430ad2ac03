// What clients of /api/push are answered: JSON whose fields Tianji's and Kuma's clients both know,
// and a line's end.
#pragma once

#include <string_view>

#include "absl/time/time.h"
#include "gateway/dialect.h"

namespace tocsin::gateway {

// Recorded: {"ok":true,"message":…,"msg":"OK"}; with "warning" when there is one.
// Else {"ok":false,"error":…,"msg":…}: both are what is wrong, but of an unknown token each is what
// its own server says, if it does not look like a push key.
const Dialect& OwnDialect();

// The same shape, for what is not known to be a push.
http::Response ErrorAnswer(int status, std::string_view message, std::string_view request_id);
// 503 with Retry-After.
http::Response RetryAnswer(std::string_view message, absl::Duration retry_after,
                           std::string_view request_id);
// 404 for a path that is none of ours.
http::Response NoRouteAnswer(std::string_view request_id);

}  // namespace tocsin::gateway
