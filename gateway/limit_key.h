// What the rate limits of pushes count by.
#pragma once

#include <string>
#include <string_view>

#include "common/sha256.h"

namespace tocsin::gateway {

// The hash of a push token stands for itself; that of a push key stands for each monitor that it
// reaches with another one. `monitor_id` is empty with a push token.
inline Sha256Digest LimitKey(const Sha256Digest& secret, std::string_view monitor_id) {
  if (monitor_id.empty()) return secret;
  std::string both(reinterpret_cast<const char*>(secret.data()), secret.size());
  both += monitor_id;
  return Sha256(both);
}

}  // namespace tocsin::gateway
