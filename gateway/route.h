// Which endpoint a request target names. Pure.
#pragma once

#include <string_view>

namespace tocsin::gateway {

struct Route {
  enum class Endpoint { kUnknown, kPush };
  Endpoint endpoint = Endpoint::kUnknown;
  std::string_view token;  // still percent-encoded; empty: it has to come in a header
  std::string_view query;  // after the "?"
};

// "/api/push/<token>" and "/api/push" in any case, with or without a slash at the end; also in
// absolute form ("http://host/api/push/<token>"). The views point into `target`.
Route ParseRoute(std::string_view target);

}  // namespace tocsin::gateway
