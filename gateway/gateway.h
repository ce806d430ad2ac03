// The gateway as a whole: HTTP server, links to core, admin port, and how it stops.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/admin_server.h"
#include "common/clock.h"
#include "common/process_metrics.h"
#include "gateway/core_link/core_resolver.h"
#include "gateway/gateway_handler.h"
#include "gateway/http/server.h"
#include "gateway/options.h"

namespace tocsin::gateway {

// Thread safe.
class Gateway {
 public:
  // Listens and serves. The clocks must outlive the gateway. Errors are for people.
  static absl::StatusOr<std::unique_ptr<Gateway>> Start(const Options& options, const Clock& clock,
                                                        const MonotonicClock& monotonic);
  ~Gateway();

  int port() const { return server_->port(); }
  int admin_port() const { return admin_->port(); }

  // OK when every io thread has a stream to a core that is not draining, and this gateway is not
  // draining either.
  absl::Status Ready() const;

  // Readiness fails at once and answers begin to close their connections; after `delay`, in which
  // load balancers take notice, nothing is accepted any more and what is in flight is answered.
  // False when that took longer than `timeout`.
  bool Drain(absl::Duration delay, absl::Duration timeout);

 private:
  explicit Gateway(const Options& options);

  const int threads_;
  std::atomic<bool> draining_{false};
  GatewayShared shared_;
  ApiShared api_;
  std::vector<std::pair<http::EventLoop*, GatewayHandler*>> handlers_;  // of the server
  std::unique_ptr<http::Server> server_;
  ProcessMetrics process_metrics_;
  std::unique_ptr<AdminServer> admin_;
  std::unique_ptr<CoreResolver> resolver_;
};

}  // namespace tocsin::gateway
