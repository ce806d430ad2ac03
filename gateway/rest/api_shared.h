// What the io threads have in common for management over REST.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "absl/base/call_once.h"
#include "absl/time/time.h"
#include "gateway/http/ip_address.h"
#include "gateway/rest/api_metrics.h"
#include "gateway/rest/route_table.h"
#include "gateway/rest/translator.h"

namespace tocsin::gateway {

struct ApiOptions {
  absl::Duration timeout = absl::Seconds(10);  // of a unary call, a second attempt included
  int max_calls = 64;                          // to core at the same time, of all io threads
  int max_pushes = 1024;                       // the same for pushes, which wait for no read
  int max_streams = 100;                       // the same for streams
  int max_scrapes = 2;                         // the same for scrapes of monitors
  // Presented to core with every call; empty: none.
  std::string gateway_credential;
};

// Thread safe; must outlive the handlers.
class ApiShared {
 public:
  ApiShared(ApiOptions options, std::vector<http::IpNetwork> proxies)
      : options(std::move(options)), trusted_proxies(std::move(proxies)) {}

  // Made by the first request: a gateway that only takes pushes does not pay for descriptors.
  const RouteTable& routes();

  const ApiOptions options;
  const std::vector<http::IpNetwork> trusted_proxies;
  ApiMetrics metrics;
  std::atomic<int> calls{0};
  std::atomic<int> pushes{0};
  std::atomic<int> streams{0};
  std::atomic<int> scrapes{0};
  Translator translator;

 private:
  absl::once_flag routes_once_;
  RouteTable routes_;
};

}  // namespace tocsin::gateway
