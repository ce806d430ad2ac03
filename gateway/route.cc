// The gateway's few routes.
#include "gateway/route.h"

#include "gateway/http/message.h"

namespace tocsin::gateway {
namespace {

constexpr std::string_view kPush = "/api/push";

// "http://host/path" → "/path" (RFC 9112, 3.2.2: servers must accept it).
std::string_view OriginForm(std::string_view target) {
  if (target.empty() || target.front() == '/') return target;
  const size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return target;
  const size_t path = target.find('/', scheme + 3);
  return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
}

}  // namespace

Route ParseRoute(std::string_view target) {
  target = OriginForm(target);
  target = target.substr(0, target.find('#'));
  Route route;
  const size_t question = target.find('?');
  std::string_view path = target.substr(0, question);
  if (question != std::string_view::npos) route.query = target.substr(question + 1);
  if (!http::EqualsIgnoreCase(path.substr(0, kPush.size()), kPush)) return route;
  path.remove_prefix(kPush.size());
  if (!path.empty() && path.back() == '/') path.remove_suffix(1);
  if (!path.empty()) {
    if (path.front() != '/') return route;
    path.remove_prefix(1);
    if (path.empty() || path.find('/') != std::string_view::npos) return route;
  }
  route.endpoint = Route::Endpoint::kPush;
  route.token = path;
  return route;
}

}  // namespace tocsin::gateway
