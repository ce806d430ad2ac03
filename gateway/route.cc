// The gateway's few routes.
#include "gateway/route.h"

#include <iterator>

#include "gateway/credential.h"
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

// "<token>" or "<push key>/<monitor>[/<action>]"; false when it is neither.
bool TakeParts(std::string_view path, Route& route) {
  std::string_view* const parts[] = {&route.token, &route.monitor, &route.action};
  size_t count = 0;
  while (true) {
    const size_t slash = path.find('/');
    *parts[count++] = path.substr(0, slash);
    if (slash == 0 || path.empty()) return false;
    if (slash == std::string_view::npos) break;
    if (count == std::size(parts)) return false;
    path.remove_prefix(slash + 1);
  }
  return count == 1 || LooksLikeKey(route.token);
}

}  // namespace

Target SplitTarget(std::string_view target) {
  target = OriginForm(target);
  target = target.substr(0, target.find('#'));
  const size_t question = target.find('?');
  return {.path = target.substr(0, question),
          .query = question == std::string_view::npos ? std::string_view()
                                                      : target.substr(question + 1)};
}

Route ParseRoute(std::string_view target) {
  Route route;
  auto [path, query] = SplitTarget(target);
  route.query = query;
  if (!http::EqualsIgnoreCase(path.substr(0, kPush.size()), kPush)) return route;
  path.remove_prefix(kPush.size());
  if (!path.empty() && path.back() == '/') path.remove_suffix(1);
  if (!path.empty()) {
    if (path.front() != '/') return route;
    path.remove_prefix(1);
    if (path.empty() || !TakeParts(path, route)) return route;
  }
  route.endpoint = Route::Endpoint::kPush;
  return route;
}

}  // namespace tocsin::gateway
