// Name lookups by getaddrinfo.
#include "gateway/core_link/core_resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "common/log.h"
#include "gateway/http/ip_address.h"

namespace tocsin::gateway {

absl::StatusOr<std::vector<std::string>> LookUp(const HostPort& address) {
  addrinfo hints{};
  // "localhost" is both ::1 and 127.0.0.1: one process, not two replicas.
  hints.ai_family = address.host == "localhost" ? AF_INET : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(address.host.c_str(), nullptr, &hints, &list); error != 0) {
    return absl::UnavailableError(gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  std::vector<std::string> targets;
  for (const addrinfo* item = list; item != nullptr; item = item->ai_next) {
    sockaddr_storage storage{};
    std::copy_n(reinterpret_cast<const char*>(item->ai_addr), item->ai_addrlen,
                reinterpret_cast<char*>(&storage));
    const std::string ip = http::IpAddress::FromSockaddr(storage).ToString();
    const std::string port = ":" + std::to_string(address.port);
    targets.push_back(item->ai_family == AF_INET6 ? "ipv6:[" + ip + "]" + port
                                                  : "ipv4:" + ip + port);
  }
  if (targets.empty()) return absl::UnavailableError("the name has no address");
  return targets;
}

CoreResolver::CoreResolver(std::vector<HostPort> addresses, absl::Duration interval,
                           Listener listener, LookUpFunction look_up)
    : addresses_(std::move(addresses)),
      listener_(std::move(listener)),
      look_up_(std::move(look_up)),
      found_(addresses_.size()),
      failing_(addresses_.size()) {
  task_ = std::make_unique<PeriodicTask>("core-resolver", interval, [this] { Tick(); });
}

CoreResolver::~CoreResolver() { task_->Stop(); }

void CoreResolver::Tick() {
  std::vector<std::string> all;
  for (size_t i = 0; i < addresses_.size(); ++i) {
    auto found = look_up_(addresses_[i]);
    if (!found.ok() && !failing_[i]) {
      LogWarning("core_lookup_failed",
                 {{"host", addresses_[i].host}, {"error", found.status().message()}});
    }
    failing_[i] = !found.ok();
    if (found.ok()) found_[i] = *std::move(found);
    all.insert(all.end(), found_[i].begin(), found_[i].end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  if (all == told_) return;
  told_ = all;
  listener_(told_);
}

}  // namespace tocsin::gateway
