// The bodies of push answers.
#include "gateway/push_answers.h"

#include "gateway/text.h"

namespace tocsin::gateway {
namespace {

void SayJson(std::string body, http::Response& out) {
  out.content_type = "application/json";
  out.body = std::move(body);
  out.body += '\n';  // a terminal's next prompt gets a line of its own
}

void SaySuccess(std::string_view message, std::string_view warning, http::Response& out) {
  std::string body = R"({"ok":true,"message":)" + JsonString(message) + R"(,"msg":"OK")";
  if (!warning.empty()) body += ",\"warning\":" + JsonString(warning);
  SayJson(body + "}", out);
}

void SayFailure(std::string_view error, std::string_view msg, http::Response& out) {
  SayJson(R"({"ok":false,"error":)" + JsonString(error) + ",\"msg\":" + JsonString(msg) + "}", out);
}

class Own final : public Dialect {
 public:
  std::string_view route() const override { return "/api/push"; }
  std::string_view methods() const override { return "GET, HEAD, POST, PUT, PATCH, OPTIONS"; }

 private:
  void Say(const PushReply& reply, http::Response& out) const override {
    switch (reply.verdict) {
      case PushVerdict::kRecorded:
        return SaySuccess("Push received successfully", reply.text, out);
      case PushVerdict::kPaused:
        return SaySuccess("Push received; the monitor is paused and stays so", reply.text, out);
      case PushVerdict::kCreated:
        return SaySuccess("Push received successfully; the monitor was created", reply.text, out);
      case PushVerdict::kUnknown:
        if (!reply.text.empty()) break;
        return SayFailure("Error: Monitor not found or not active",
                          "Monitor not found or not active.", out);
      case PushVerdict::kNoSecret:
        out.headers.emplace_back("WWW-Authenticate", "Bearer");
        break;
      default:
        break;
    }
    SayFailure(reply.text, reply.text, out);
  }
};

}  // namespace

const Dialect& OwnDialect() {
  static const Own* const own = new Own;
  return *own;
}

http::Response ErrorAnswer(int status, std::string_view message, std::string_view request_id) {
  http::Response response = OwnDialect().Answer(
      {.verdict = PushVerdict::kBadRequest, .text = message, .request_id = request_id});
  response.status = status;
  return response;
}

http::Response RetryAnswer(std::string_view message, absl::Duration retry_after,
                           std::string_view request_id) {
  return OwnDialect().Answer({.verdict = PushVerdict::kTryLater,
                              .text = message,
                              .request_id = request_id,
                              .retry_after = retry_after});
}

http::Response NoRouteAnswer(std::string_view request_id) {
  return ErrorAnswer(
      404,
      "There is nothing here; pushes go to /api/push/<token> or /api/push/<push key>/<monitor>.",
      request_id);
}

}  // namespace tocsin::gateway
