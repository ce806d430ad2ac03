// Secrets: in an Authorization header, and which of them are keys.
#pragma once

#include <string_view>

#include "gateway/http/message.h"
#include "gateway/text.h"

namespace tocsin::gateway {

// What follows `scheme` (any case) and the spaces after it; empty when the request has no such
// credential. Points into the request.
inline std::string_view CredentialOf(const http::Request& request, std::string_view scheme) {
  const std::string_view value = request.Header("Authorization");
  if (value.size() <= scheme.size() || value[scheme.size()] != ' ' ||
      !http::EqualsIgnoreCase(value.substr(0, scheme.size()), scheme)) {
    return {};
  }
  return TrimSpace(value.substr(scheme.size()));
}

// Whether it begins as every push key does. A push token that was imported may do so, too.
inline bool LooksLikeKey(std::string_view secret) {
  constexpr std::string_view kStart = "tk_";
  return secret.substr(0, kStart.size()) == kStart;
}

}  // namespace tocsin::gateway
