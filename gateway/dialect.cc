// What the answers of every dialect have in common.
#include "gateway/dialect.h"

#include <algorithm>
#include <string>

namespace tocsin::gateway {
namespace {

int StatusOf(PushVerdict verdict) {
  switch (verdict) {
    case PushVerdict::kRecorded:
    case PushVerdict::kPaused:
      return 200;
    case PushVerdict::kCreated:
      return 201;
    case PushVerdict::kUnknown:
      return 404;
    case PushVerdict::kMayNotCreate:
      return 403;
    case PushVerdict::kBadRequest:
      return 400;
    case PushVerdict::kNoSecret:
      return 401;
    case PushVerdict::kWrongMethod:
      return 405;
    case PushVerdict::kTooOften:
      return 429;
    case PushVerdict::kTryLater:
      break;
  }
  return 503;
}

}  // namespace

bool Dialect::Takes(std::string_view method) const {
  if (method == "OPTIONS") return false;
  std::string_view rest = methods();
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(','), rest.size());
    if (rest.substr(0, end) == method) return true;
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  return false;
}

http::Response Dialect::Answer(const PushReply& reply) const {
  http::Response response;
  response.status = StatusOf(reply.verdict);
  response.headers = {{"Access-Control-Allow-Origin", "*"},
                      {"Cache-Control", std::string(cache_control())}};
  if (!reply.request_id.empty()) response.headers.emplace_back("X-Request-Id", reply.request_id);
  if (reply.verdict == PushVerdict::kWrongMethod) response.headers.emplace_back("Allow", methods());
  if (reply.verdict == PushVerdict::kTooOften || reply.verdict == PushVerdict::kTryLater) {
    // Whole seconds, rounded up.
    const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(reply.retry_after, absl::Seconds(1)));
    response.headers.emplace_back("Retry-After", std::to_string(std::max<int64_t>(seconds, 1)));
  }
  Say(reply, response);
  return response;
}

http::Response Dialect::Preflight() const {
  const std::string allowed(methods());
  http::Response response;
  response.status = 204;
  response.headers = {{"Access-Control-Allow-Origin", "*"},
                      {"Access-Control-Allow-Methods", allowed},
                      {"Access-Control-Allow-Headers", "Authorization, Content-Type, X-Request-Id"},
                      {"Access-Control-Max-Age", "86400"},
                      {"Allow", allowed}};
  return response;
}

}  // namespace tocsin::gateway
