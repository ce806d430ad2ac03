// X-Forwarded-For.
#include "gateway/client_address.h"

#include <algorithm>

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

}  // namespace tocsin::gateway
