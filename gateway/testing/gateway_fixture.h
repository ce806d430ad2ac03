// The whole gateway over real sockets, in front of cores that speak real gRPC.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "gateway/gateway.h"
#include "gateway/testing/fake_core.h"
#include "gateway/testing/http_client.h"

namespace tocsin::gateway {

using tocsin::testing::FakeCore;
using tocsin::testing::Fetch;
using tocsin::testing::HttpClient;
using tocsin::testing::HttpResponse;

class GatewayTest : public ::testing::Test {
 protected:
  GatewayTest() {
    options_.http.threads = 1;
    options_.admin_listen = {.host = "127.0.0.1", .port = 0};
    options_.core_resolve_interval = absl::Seconds(5);
    options_.dispatcher.gateway_name = "gateway-under-test";
    options_.token_limit = {.per_second = 1000, .burst = 1000};
    options_.unknown_token_limit = {.per_second = 1000, .burst = 1000};
    options_.max_tokens = options_.max_addresses = 1000;
  }

  void Start(const std::vector<const FakeCore*>& cores) {
    for (const FakeCore* core : cores) {
      options_.core_addresses.push_back({.host = "127.0.0.1", .port = core->port()});
    }
    StartWithAddresses();
    AwaitReady(true);
    // Ready means one stream; the tests want all of them.
    EXPECT_TRUE(AwaitMetric("tocsin_gateway_core_streams " + std::to_string(cores.size())));
  }
  void StartWithAddresses() {
    auto gateway = Gateway::Start(options_, clock_, monotonic_);
    ASSERT_TRUE(gateway.ok()) << gateway.status();
    gateway_ = *std::move(gateway);
  }

  // Waits without a clock of its own: each look is a round trip to the admin server.
  template <typename Condition>
  bool Eventually(Condition condition) {
    const absl::Duration until = monotonic_.Now() + absl::Seconds(20);
    while (!condition()) {
      if (monotonic_.Now() > until) return false;
      Admin("/healthz");
    }
    return true;
  }
  void AwaitReady(bool ready) {
    EXPECT_TRUE(Eventually([&] { return (Admin("/readyz").status == 200) == ready; }));
  }

  HttpResponse Admin(const std::string& path) {
    return Fetch(gateway_->admin_port(), "GET " + path + " HTTP/1.1\r\nConnection: close\r\n");
  }
  HttpResponse Push(const std::string& target, const std::string& method = "POST",
                    const std::string& headers = "", const std::string& body = "") {
    return Fetch(gateway_->port(), method + " " + target + " HTTP/1.1\r\n" + headers, body);
  }
  // Whether the line comes to be among the metrics.
  bool AwaitMetric(const std::string& line) {
    return Eventually(
        [&] { return Admin("/metrics").body.find(line + "\n") != std::string::npos; });
  }

  const SystemClock clock_;
  const SystemMonotonicClock monotonic_;
  Options options_;
  std::unique_ptr<Gateway> gateway_;
};

}  // namespace tocsin::gateway
