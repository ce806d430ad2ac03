// A small HTTP/1.1 server: keep-alive, pipelining, limits, timeouts and a drain that loses nothing.
//
// Each io thread has its own listening socket (SO_REUSEPORT), connections and handler, so that
// threads share nothing on the way of a request.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "gateway/http/event_loop.h"
#include "gateway/http/handler.h"
#include "gateway/http/request_reader.h"

namespace tocsin::http {

struct ServerOptions {
  std::string address = "127.0.0.1";  // numeric; empty: every address, IPv6 and IPv4
  int port = 0;                       // 0: any free one
  int threads = 1;
  RequestLimits limits{};
  int max_connections = 20'000;  // of all threads; beyond it a connection gets 503
  int max_pipelined = 64;        // requests of one connection that are being answered
  absl::Duration head_timeout = absl::Seconds(10);   // from its first byte (or the connect)
  absl::Duration body_timeout = absl::Seconds(30);   // from the end of the head
  absl::Duration idle_timeout = absl::Seconds(75);   // between requests
  absl::Duration write_timeout = absl::Seconds(30);  // for the client to take a response
  absl::Duration linger_timeout = absl::Seconds(2);  // for a refused client to read why
};

// Counted by all threads since the start; gauges are as of now. Read from any thread.
struct ServerStats {
  std::atomic<int64_t> open_connections{0};  // gauge
  std::atomic<int64_t> in_flight{0};         // gauge: requests without a response yet
  std::atomic<int64_t> unsent_bytes{0};      // gauge: of answers that clients do not take
  std::atomic<int64_t> accepted{0};
  std::atomic<int64_t> requests{0};
  std::atomic<int64_t> refused_connections{0};  // over max_connections, or not heard at all
  std::atomic<int64_t> refused_malformed{0};    // 400, 417, 501, 505
  std::atomic<int64_t> refused_head{0};         // 431
  std::atomic<int64_t> refused_body{0};         // 413
  std::atomic<int64_t> timed_out{0};            // in a head, a body or a response
  std::atomic<int64_t> pipeline_pauses{0};      // max_pipelined was reached
};

class Server {
 public:
  // Makes the handler of one thread. Called before any thread runs.
  using HandlerFactory = std::function<std::unique_ptr<Handler>(EventLoop&)>;

  // Listens and serves. The clocks must outlive the server. INVALID_ARGUMENT for a bad address,
  // FAILED_PRECONDITION when the port is taken (or not permitted), with a message for people.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                                       const Clock& clock,
                                                       const MonotonicClock& monotonic,
                                                       const HandlerFactory& make_handler);
  // Closes every connection at once and stops the threads.
  ~Server();

  int port() const { return port_; }
  const ServerStats& stats() const { return *stats_; }

  // Any thread. The drain, in three steps: from now on every response closes its connection…
  void BeginDrain();
  // …no connection can begin any more and, a tenth of a second later, idle ones are closed…
  void StopAccepting();
  // …until none is left. False when that took longer than `timeout`.
  bool AwaitNoConnections(absl::Duration timeout);

  // Any thread. Causes a turn of every loop, for clocks that only tests move.
  void Wake();

 private:
  Server();

  int port_ = 0;
  std::unique_ptr<ServerStats> stats_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace tocsin::http
