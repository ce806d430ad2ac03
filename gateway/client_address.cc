// X-Forwarded-For.
#include "gateway/client_address.h"

#include <algorithm>
#include <string>

namespace tocsin::gateway {

http::IpAddress ClientAddress(const http::IpAddress& peer, std::string_view forwarded_for,
                              const std::vector<http::IpNetwork>& trusted) {
  const auto is_trusted = [&](const http::IpAddress& address) {
    return std::any_of(trusted.begin(), trusted.end(),
                       [&](const http::IpNetwork& network) { return network.Contains(address); });
  };
  http::IpAddress client = peer;
  while (!forwarded_for.empty() && is_trusted(client)) {
    const size_t comma = forwarded_for.rfind(',');
    const std::string_view last =
        comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1);
    const auto named = http::IpAddress::Parse(last);
    if (!named) break;
    client = *named;
    forwarded_for =
        comma == std::string_view::npos ? std::string_view() : forwarded_for.substr(0, comma);
  }
  return client;
}

http::IpAddress ClientOf(const http::Request& request,
                         const std::vector<http::IpNetwork>& trusted) {
  if (trusted.empty()) return request.peer;
  // A proxy may add to the header or add a header: all of them are one list.
  std::string forwarded;
  for (const http::HeaderField& field : request.fields) {
    if (!http::EqualsIgnoreCase(field.name, "X-Forwarded-For")) continue;
    if (!forwarded.empty()) forwarded += ',';
    forwarded += field.value;
  }
  return ClientAddress(request.peer, forwarded, trusted);
}

}  // namespace tocsin::gateway
