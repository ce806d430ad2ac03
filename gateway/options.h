// The gateway's settings, from flags and environment.
#pragma once

#include <string>
#include <vector>

#include "common/flags.h"
#include "common/log.h"
#include "gateway/core_link/dispatcher.h"
#include "gateway/http/server.h"
#include "gateway/rate_limit.h"
#include "gateway/rest/api_shared.h"

namespace tocsin::gateway {

struct Options {
  http::ServerOptions http;
  HostPort admin_listen;
  std::vector<HostPort> core_addresses;
  std::string core_key;  // empty: none; never logged
  absl::Duration core_resolve_interval;
  DispatcherOptions dispatcher;
  ApiOptions api;
  RateLimit token_limit;
  size_t max_tokens = 0;
  RateLimit unknown_token_limit;
  size_t max_addresses = 0;
  std::vector<http::IpNetwork> trusted_proxies;
  absl::Duration drain_delay;
  absl::Duration drain_timeout;
  LogOptions log;
  bool validate_only = false;
};

// Everything that is wrong goes to `faults`; the result counts only if there are none.
Options ReadOptions(int argc, char** argv, OptionFaults& faults);

}  // namespace tocsin::gateway
