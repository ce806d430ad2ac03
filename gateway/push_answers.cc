// The bodies and headers of push answers.
#include "gateway/push_answers.h"

#include <algorithm>

#include "gateway/text.h"

namespace tocsin::gateway {
namespace {

constexpr char kMethods[] = "GET, HEAD, POST, PUT, PATCH, OPTIONS";

http::Response JsonAnswer(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  response.body += '\n';  // a terminal's next prompt gets a line of its own
  response.headers = {{"Access-Control-Allow-Origin", "*"}, {"Cache-Control", "no-store"}};
  return response;
}

http::Response Success(std::string_view message, std::string_view warning, int status = 200) {
  std::string body = R"({"ok":true,"message":)" + JsonString(message) + R"(,"msg":"OK")";
  if (!warning.empty()) body += ",\"warning\":" + JsonString(warning);
  return JsonAnswer(status, body + "}");
}

http::Response Failure(int status, std::string_view error, std::string_view msg,
                       std::string_view request_id) {
  http::Response response = JsonAnswer(
      status, R"({"ok":false,"error":)" + JsonString(error) + ",\"msg\":" + JsonString(msg) + "}");
  response.headers.emplace_back("X-Request-Id", request_id);
  return response;
}

}  // namespace

http::Response RecordedAnswer(std::string_view warning) {
  return Success("Push received successfully", warning);
}

http::Response PausedAnswer(std::string_view warning) {
  return Success("Push received; the monitor is paused and stays so", warning);
}

http::Response CreatedAnswer(std::string_view warning) {
  return Success("Push received successfully; the monitor was created", warning, 201);
}

http::Response MayNotCreateAnswer(std::string_view request_id) {
  return ErrorAnswer(403,
                     "There is no such monitor, and this push key may not create it: it is not one "
                     "that may, or what it would create names a channel that does not exist any "
                     "more.",
                     request_id);
}

http::Response TooManyMonitorsAnswer(std::string_view request_id) {
  return ErrorAnswer(403,
                     "There is no such monitor, and it is not created: the project has as many "
                     "monitors as this push key allows (max_monitors).",
                     request_id);
}

http::Response DeletedAnswer(std::string_view request_id) {
  return ErrorAnswer(404,
                     "The monitor is deleted, and its id is not free: undelete it, or push to "
                     "another id.",
                     request_id);
}

http::Response ErrorAnswer(int status, std::string_view message, std::string_view request_id) {
  return Failure(status, message, message, request_id);
}

http::Response UnknownTokenAnswer(std::string_view request_id) {
  return Failure(404, "Error: Monitor not found or not active", "Monitor not found or not active.",
                 request_id);
}

http::Response RetryAnswer(int status, std::string_view message, absl::Duration retry_after,
                           std::string_view request_id) {
  http::Response response = ErrorAnswer(status, message, request_id);
  const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(retry_after, absl::Seconds(1)));
  response.headers.emplace_back("Retry-After", std::to_string(std::max<int64_t>(seconds, 1)));
  return response;
}

http::Response MethodNotAllowedAnswer(std::string_view request_id) {
  http::Response response =
      ErrorAnswer(405, "Push with GET, HEAD, POST, PUT or PATCH.", request_id);
  response.headers.emplace_back("Allow", kMethods);
  return response;
}

http::Response MissingTokenAnswer(std::string_view request_id) {
  http::Response response = ErrorAnswer(
      401, "The push token is missing: push to /api/push/<token> or send Authorization: Bearer.",
      request_id);
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

http::Response PreflightAnswer() {
  http::Response response;
  response.status = 204;
  response.headers = {{"Access-Control-Allow-Origin", "*"},
                      {"Access-Control-Allow-Methods", kMethods},
                      {"Access-Control-Allow-Headers", "Authorization, Content-Type, X-Request-Id"},
                      {"Access-Control-Max-Age", "86400"},
                      {"Allow", kMethods}};
  return response;
}

http::Response NoRouteAnswer(std::string_view request_id) {
  return ErrorAnswer(
      404,
      "There is nothing here; pushes go to /api/push/<token> or /api/push/<push key>/<monitor>.",
      request_id);
}

}  // namespace tocsin::gateway
