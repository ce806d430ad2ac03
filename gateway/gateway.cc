// Wiring.
#include "gateway/gateway.h"

#include <utility>

#include "common/status_macros.h"

namespace tocsin::gateway {

Gateway::Gateway(const Options& options)
    : threads_(options.http.threads),
      shared_(options.token_limit, options.max_tokens, options.unknown_token_limit,
              options.max_addresses, options.trusted_proxies),
      api_(options.api, options.trusted_proxies) {
  shared_.core_key = options.core_key;
}

absl::StatusOr<std::unique_ptr<Gateway>> Gateway::Start(const Options& options, const Clock& clock,
                                                        const MonotonicClock& monotonic) {
  std::unique_ptr<Gateway> gateway(new Gateway(options));
  Gateway* const g = gateway.get();
  const auto make_handler = [&](http::EventLoop& loop) {
    auto handler = std::make_unique<GatewayHandler>(options.dispatcher, loop, g->shared_, g->api_);
    g->handlers_.emplace_back(&loop, handler.get());
    return handler;
  };
  ASSIGN_OR_RETURN(g->server_, http::Server::Start(options.http, clock, monotonic, make_handler));
  g->shared_.metrics.Watch(g->server_->stats());
  ASSIGN_OR_RETURN(
      g->admin_,
      AdminServer::Start({.address = options.admin_listen.host, .port = options.admin_listen.port},
                         g->shared_.metrics.collectable(), [g] { return g->Ready(); }));
  g->admin_->AddMetrics(g->process_metrics_);
  g->admin_->AddMetrics(g->api_.metrics.collectable());
  g->resolver_ = std::make_unique<CoreResolver>(
      options.core_addresses, options.core_resolve_interval,
      [g](const std::vector<std::string>& targets) {
        for (const auto& [loop, handler] : g->handlers_) {
          loop->Post([h = handler, targets] { h->core().SetTargets(targets); });
        }
      });
  return gateway;
}

Gateway::~Gateway() {
  // Whoever calls into the others goes first.
  resolver_.reset();
  admin_.reset();
  server_.reset();
}

absl::Status Gateway::Ready() const {
  if (draining_.load()) return absl::UnavailableError("draining");
  if (shared_.connected_threads.load() < threads_) {
    if (shared_.refused_threads.load() > 0) {
      return absl::UnavailableError(
          "core refuses this gateway's key: --core_key_file needs a key of all projects with the "
          "role gateway");
    }
    return absl::UnavailableError("not connected to any core");
  }
  return absl::OkStatus();
}

bool Gateway::Drain(absl::Duration delay, absl::Duration timeout) {
  draining_.store(true);
  server_->BeginDrain();
  // Never true before StopAccepting: this waits for the whole delay.
  server_->AwaitNoConnections(delay);
  server_->StopAccepting();
  // Only now: their clients connect again at once, and then to another gateway.
  for (const auto& [loop, handler] : handlers_) {
    loop->Post([h = handler] { h->api().EndStreams(); });
  }
  return server_->AwaitNoConnections(timeout);
}

}  // namespace tocsin::gateway
