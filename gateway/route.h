// Which endpoint a request target names. Pure.
#pragma once

#include <string_view>

namespace tocsin::gateway {

struct Route {
  enum class Endpoint { kUnknown, kPush };
  Endpoint endpoint = Endpoint::kUnknown;
  // Still percent-encoded. An empty token has to come in a header. A monitor, and an action (what
  // the path says of the heartbeat), come only with a push key.
  std::string_view token;
  std::string_view monitor;
  std::string_view action;
  std::string_view query;  // after the "?"
};

// A request target taken apart; the views point into it.
struct Target {
  std::string_view path;   // still percent-encoded
  std::string_view query;  // after the "?"
};

// Also of the absolute form, "http://host/path?query".
Target SplitTarget(std::string_view target);

// "/api/push/<token>", "/api/push" and "/api/push/<push key>/<monitor>[/<action>]" with or without
// a slash at the end, "/api/push" in any case; also in absolute form
// ("http://host/api/push/<token>"). The views point into `target`.
Route ParseRoute(std::string_view target);

}  // namespace tocsin::gateway
