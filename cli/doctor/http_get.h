// One GET, for `tocsin doctor`.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace tocsin::cli {

struct HttpAnswer {
  int status = 0;
  std::string body;                // its first 4 MiB
  std::optional<absl::Time> date;  // of its Date header, to the second
};

// Follows no redirect and sends no key. UNAVAILABLE says in a few words why nothing came within
// `limit`.
absl::StatusOr<HttpAnswer> HttpGet(const std::string& url, absl::Duration limit);

}  // namespace tocsin::cli
