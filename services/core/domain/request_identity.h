// What makes a request that is sent again count once.
#pragma once

#include <string>

namespace tocsin::core {

struct RequestIdentity {
  std::string id;           // a UUID in any case; empty: every request counts
  std::string fingerprint;  // SHA-256 of all that is asked for, but the id: 32 bytes
};

}  // namespace tocsin::core
