// The admin port of every service: /metrics for Prometheus, /healthz and /readyz for probes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

struct mg_context;
struct mg_connection;
namespace prometheus {
class Collectable;
}

namespace tocsin {

// Serves plain HTTP/1.1 on two threads that sleep while nobody asks. Thread safe. Callbacks are
// called on the server's threads, possibly at the same time, and never after destruction.
//
//   /metrics   all registries in the Prometheus text format
//   /healthz   200 as long as the process answers: whether to restart it
//   /readyz    200, or 503 with the reason: whether to send it work
class AdminServer {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    int port = 0;  // 0: any free one
  };

  // `metrics` must outlive the server. UNAVAILABLE when the address cannot be bound.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(
      const Options& options, prometheus::Collectable& metrics,
      std::function<absl::Status()> readiness);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // The port that is bound.
  int port() const { return port_; }

  // Adds to /metrics. Must outlive the server.
  void AddMetrics(prometheus::Collectable& metrics);

 private:
  struct Response {
    int code = 200;
    std::string body;
  };
  struct Route {
    std::function<Response()> respond;
  };

  AdminServer() = default;
  void AddRoute(const std::string& path, std::function<Response()> respond);
  std::string MetricsText() const;
  static int Handle(mg_connection* connection, void* route);

  mg_context* context_ = nullptr;
  std::string host_;  // reaches this server from this machine
  int port_ = 0;
  mutable absl::Mutex mutex_;
  std::vector<prometheus::Collectable*> metrics_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Route>> routes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin
