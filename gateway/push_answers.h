// What clients of /api/push are answered: JSON whose fields Tianji's and Kuma's clients both know,
// and a line's end.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "gateway/http/message.h"

namespace tocsin::gateway {

// 200 {"ok":true,"message":…,"msg":"OK"}; with "warning" when there is one.
http::Response RecordedAnswer(std::string_view warning);
// 200 as well: the heartbeat is stored, but nothing is watched.
http::Response PausedAnswer(std::string_view warning);

// 201: recorded, and the monitor was made for it.
http::Response CreatedAnswer(std::string_view warning);

// {"ok":false,"error":…,"msg":…} with the headers of every push answer. `request_id` finds the log
// line of a server error.
http::Response ErrorAnswer(int status, std::string_view message, std::string_view request_id);

// 404 {"ok":false,"error":…,"msg":"Monitor not found or not active."}
http::Response UnknownTokenAnswer(std::string_view request_id);
// 403: the monitor is missing, and the push key may not make it.
http::Response MayNotCreateAnswer(std::string_view request_id);
// 403: the same, since the project has as many as the key allows.
http::Response TooManyMonitorsAnswer(std::string_view request_id);
// 404: what is to be created is deleted.
http::Response DeletedAnswer(std::string_view request_id);
// 429 and 503; whole seconds, rounded up, at least 1.
http::Response RetryAnswer(int status, std::string_view message, absl::Duration retry_after,
                           std::string_view request_id);
// 405 with Allow.
http::Response MethodNotAllowedAnswer(std::string_view request_id);
// 401: no token in the path and none in the header.
http::Response MissingTokenAnswer(std::string_view request_id);
// 204: what browsers ask before they push from another origin. Never a heartbeat.
http::Response PreflightAnswer();
// 404 for a path that is none of ours.
http::Response NoRouteAnswer(std::string_view request_id);

}  // namespace tocsin::gateway
