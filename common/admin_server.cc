// The admin server on civetweb's C interface, whose C++ one reports errors by exception.
#include "common/admin_server.h"

#include <civetweb.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <iterator>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace tocsin {
namespace {

constexpr char kContentType[] = "text/plain; version=0.0.4; charset=utf-8";

// civetweb reports why it could not start only through this callback.
int KeepMessage(const mg_connection* connection, const char* message) {
  const mg_context* context = mg_get_context(connection);
  auto* kept = static_cast<std::string*>(context ? mg_get_user_data(context) : nullptr);
  if (kept != nullptr && kept->empty()) *kept = message;
  return 1;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(
    const Options& options, prometheus::Collectable& metrics,
    std::function<absl::Status()> readiness) {
  const std::string host = absl::StrContains(options.address, ":")
                               ? absl::StrCat("[", options.address, "]")
                               : options.address;
  const std::string listen =
      host.empty() ? absl::StrCat(options.port) : absl::StrCat(host, ":", options.port);
  const char* settings[] = {
      "listening_ports",   listen.c_str(), "num_threads", "2", "request_timeout_ms", "5000",
      "enable_keep_alive", "no",           nullptr};
  std::unique_ptr<AdminServer> server(new AdminServer);
  server->AddMetrics(metrics);
  const bool everywhere = host.empty() || host == "0.0.0.0" || host == "[::]";
  server->host_ = everywhere ? "localhost" : options.address;

  std::string error;
  mg_callbacks callbacks = {};
  callbacks.log_message = KeepMessage;
  server->context_ = mg_start(&callbacks, &error, settings);
  if (server->context_ == nullptr) {
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on ", listen, " for metrics: ", error.empty() ? "unknown error" : error));
  }
  std::array<mg_server_port, 4> ports = {};
  if (mg_get_server_ports(server->context_, static_cast<int>(ports.size()), ports.data()) > 0) {
    server->port_ = ports[0].port;
  }
  AdminServer* const self = server.get();
  server->AddRoute("/metrics", [self] { return Response{200, self->MetricsText()}; });
  server->AddRoute("/healthz", [] { return Response{200, "ok\n"}; });
  server->AddRoute("/readyz", [readiness = std::move(readiness)] {
    const absl::Status status = readiness();
    if (status.ok()) return Response{200, "ready\n"};
    return Response{503, absl::StrCat("not ready: ", status.message(), "\n")};
  });
  return server;
}

AdminServer::~AdminServer() {
  if (context_ == nullptr) return;
  // civetweb's listener looks at its stop flag every two seconds, or when somebody connects.
  absl::Notification stopped;
  std::thread stopper([this, &stopped] {
    mg_stop(context_);
    stopped.Notify();
  });
  while (!stopped.WaitForNotificationWithTimeout(absl::Milliseconds(10))) {
    char error[64];
    mg_connection* knock = mg_connect_client(host_.c_str(), port_, 0, error, sizeof(error));
    if (knock != nullptr) mg_close_connection(knock);
  }
  stopper.join();
}

void AdminServer::AddMetrics(prometheus::Collectable& metrics) {
  absl::MutexLock lock(&mutex_);
  metrics_.push_back(&metrics);
}

void AdminServer::AddRoute(const std::string& path, std::function<Response()> respond) {
  Route* route;
  {
    absl::MutexLock lock(&mutex_);
    routes_.push_back(std::make_unique<Route>(Route{std::move(respond)}));
    route = routes_.back().get();
  }
  // The $ makes the match exact.
  mg_set_request_handler(context_, absl::StrCat(path, "$").c_str(), &AdminServer::Handle, route);
}

std::string AdminServer::MetricsText() const {
  std::vector<prometheus::Collectable*> sources;
  {
    absl::MutexLock lock(&mutex_);
    sources = metrics_;
  }
  std::vector<prometheus::MetricFamily> families;
  for (const prometheus::Collectable* source : sources) {
    std::vector<prometheus::MetricFamily> collected = source->Collect();
    families.insert(families.end(), std::make_move_iterator(collected.begin()),
                    std::make_move_iterator(collected.end()));
  }
  return prometheus::TextSerializer().Serialize(families);
}

int AdminServer::Handle(mg_connection* connection, void* route) {
  const Response response = static_cast<Route*>(route)->respond();
  const mg_request_info* request = mg_get_request_info(connection);
  mg_printf(connection,
            "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
            "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
            response.code, response.code == 200 ? "OK" : "Service Unavailable", kContentType,
            response.body.size());
  if (absl::string_view(request->request_method) != "HEAD") {
    mg_write(connection, response.body.data(), response.body.size());
  }
  return response.code;
}

}  // namespace tocsin
