// Listening sockets, threads, and the drain over all of them.
#include "gateway/http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "gateway/http/worker.h"

namespace tocsin::http {
namespace {

constexpr int kBacklog = 4096;

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;
  std::string text;
};

absl::StatusOr<Endpoint> MakeEndpoint(std::string address, int port) {
  if (address == "localhost") address = "127.0.0.1";
  Endpoint endpoint;
  endpoint.text = (address.empty() ? "*" : address) + ":" + std::to_string(port);
  auto& v4 = reinterpret_cast<sockaddr_in&>(endpoint.address);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(endpoint.address);
  if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<uint16_t>(port));
    endpoint.size = sizeof(v4);
    return endpoint;
  }
  // "::" listens on IPv4, too.
  if (address.empty() || inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(static_cast<uint16_t>(port));
    endpoint.size = sizeof(v6);
    return endpoint;
  }
  return absl::InvalidArgumentError("\"" + address + "\" is not an IP address to listen on");
}

absl::Status CannotListen(const Endpoint& endpoint, const std::string& why) {
  return absl::FailedPreconditionError("cannot listen on " + endpoint.text + ": " + why);
}

absl::StatusOr<int> Listen(const Endpoint& endpoint, bool shared) {
  const int fd = socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return CannotListen(endpoint, std::strerror(errno));
  const int on = 1;
  const int off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (shared) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  if (endpoint.address.ss_family == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  // Connections inherit it, which saves a system call for each.
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (bind(fd, reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.size) != 0 ||
      listen(fd, kBacklog) != 0) {
    const int error = errno;
    close(fd);
    return CannotListen(endpoint, error == EADDRINUSE ? "the port is in use by another process"
                                                      : std::strerror(error));
  }
  return fd;
}

int PortOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return address.ss_family == AF_INET6
             ? ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port)
             : ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

// One listening descriptor for each thread, all of the same port. On failure none is left open.
absl::StatusOr<std::vector<int>> ListenAll(const ServerOptions& options) {
  auto endpoint = MakeEndpoint(options.address, options.port);
  if (!endpoint.ok()) return endpoint.status();
  // Not shared at first: SO_REUSEPORT would silently share the port with another process.
  auto first = Listen(*endpoint, /*shared=*/false);
  if (!first.ok() && options.address.empty()) {
    // A machine without IPv6.
    auto v4 = MakeEndpoint("0.0.0.0", options.port);
    if (auto retry = Listen(*v4, /*shared=*/false); retry.ok()) {
      endpoint = std::move(v4);
      first = std::move(retry);
    }
  }
  if (!first.ok()) return first.status();
  const int port = PortOf(*first);
  if (options.threads <= 1) return std::vector<int>{*first};
  close(*first);
  // The port offset is the same in both kinds of address.
  reinterpret_cast<sockaddr_in&>(endpoint->address).sin_port = htons(static_cast<uint16_t>(port));
  std::vector<int> fds;
  for (int i = 0; i < options.threads; ++i) {
    auto fd = Listen(*endpoint, /*shared=*/true);
    if (!fd.ok()) {
      for (int other : fds) close(other);
      return fd.status();
    }
    fds.push_back(*fd);
  }
  return fds;
}

}  // namespace

Server::Server() : stats_(std::make_unique<ServerStats>()) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                                      const Clock& clock,
                                                      const MonotonicClock& monotonic,
                                                      const HandlerFactory& make_handler) {
  auto fds = ListenAll(options);
  if (!fds.ok()) return fds.status();
  std::unique_ptr<Server> server(new Server());
  server->port_ = PortOf(fds->front());
  absl::Status status;
  for (int fd : *fds) {
    server->workers_.push_back(
        std::make_unique<Worker>(options, clock, monotonic, *server->stats_));
    status.Update(server->workers_.back()->Init(fd, make_handler));
  }
  if (!status.ok()) return status;
  for (const auto& worker : server->workers_) {
    server->threads_.emplace_back([w = worker.get()] { w->Run(); });
  }
  return server;
}

Server::~Server() {
  for (const auto& worker : workers_) worker->loop().Stop();
  for (std::thread& thread : threads_) thread.join();
}

void Server::BeginDrain() {
  for (const auto& worker : workers_) {
    worker->loop().Post([w = worker.get()] { w->BeginDrain(); });
  }
}

void Server::StopAccepting() {
  for (const auto& worker : workers_) {
    worker->loop().Post([w = worker.get()] { w->StopAccepting(); });
  }
}

bool Server::AwaitNoConnections(absl::Duration timeout) {
  bool all = true;
  for (const auto& worker : workers_) {
    all = worker->AwaitNoConnections(all ? timeout : absl::ZeroDuration()) && all;
  }
  return all;
}

void Server::Wake() {
  for (const auto& worker : workers_) worker->loop().Wake();
}

}  // namespace tocsin::http
