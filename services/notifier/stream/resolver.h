// Finds the addresses behind the names of core.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tocsin::notifier {

// The gRPC targets behind "host:port" ("ipv4:10.0.0.1:9090" for each address of the name, so that
// a stream can be opened to each replica), or `unix:…` as it is. A name with IPv4 addresses is
// used by them alone, since its others are mostly the same replicas again. Blocks on DNS.
// UNAVAILABLE when the name has no address now, INVALID_ARGUMENT when the text is no address.
absl::StatusOr<std::vector<std::string>> ResolveTargets(const std::string& address);

}  // namespace tocsin::notifier
