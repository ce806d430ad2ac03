// Whose request it is: the peer's, or the one that a trusted proxy names.
#pragma once

#include <string_view>
#include <vector>

#include "gateway/http/ip_address.h"
#include "gateway/http/message.h"

namespace tocsin::gateway {

// X-Forwarded-For is believed only from `trusted` peers, and read from its end: the last address
// that is not itself a trusted proxy's. Whatever stands before it may be invented.
http::IpAddress ClientAddress(const http::IpAddress& peer, std::string_view forwarded_for,
                              const std::vector<http::IpNetwork>& trusted);

// The same of a request with all its headers.
http::IpAddress ClientOf(const http::Request& request, const std::vector<http::IpNetwork>& trusted);

}  // namespace tocsin::gateway
