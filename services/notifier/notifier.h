// The notifier put together: streams from core, courier, HTTP client.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "services/notifier/channel/curl_http_client.h"
#include "services/notifier/channel/event_loop.h"
#include "services/notifier/courier.h"
#include "services/notifier/metrics.h"
#include "services/notifier/stream/delivery_client.h"

namespace tocsin::notifier {

struct NotifierOptions {
  DeliveryClientOptions client;
  CourierOptions courier;
  CurlHttpClientOptions http;
};

// Thread safe.
class Notifier {
 public:
  // Begins at once. What is given must outlive it; the clocks run in real time.
  Notifier(const NotifierOptions& options, const Clock& clock, const MonotonicClock& monotonic,
           NotifierMetrics& metrics);
  // Stops without waiting for requests: their leases expire.
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // OK when a core is connected.
  absl::Status Ready() const;

  // Takes nothing more, hands back what was not begun, waits up to `timeout` for the requests
  // under way, and reports. Whether all of them ended in time.
  bool Drain(absl::Duration timeout);

 private:
  EventLoop loop_;
  std::unique_ptr<CurlHttpClient> http_;  // lives on the loop
  std::unique_ptr<Courier> courier_;      // lives on the loop
  std::unique_ptr<DeliveryClient> client_;
};

}  // namespace tocsin::notifier
