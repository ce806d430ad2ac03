// Finds the addresses behind the names of core.
#include "services/notifier/stream/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/flags.h"
#include "common/status_macros.h"

namespace tocsin::notifier {
namespace {

std::vector<std::string> TargetsOf(const addrinfo* list, int family, int port) {
  std::vector<std::string> targets;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family != family) continue;
    char text[INET6_ADDRSTRLEN] = "";
    if (family == AF_INET) {
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(entry->ai_addr)->sin_addr, text,
                sizeof(text));
      targets.push_back(absl::StrCat("ipv4:", text, ":", port));
    } else {
      inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(entry->ai_addr)->sin6_addr, text,
                sizeof(text));
      targets.push_back(absl::StrCat("ipv6:[", text, "]:", port));
    }
  }
  std::sort(targets.begin(), targets.end());
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
  return targets;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ResolveTargets(const std::string& address) {
  if (absl::StartsWith(address, "unix:")) return std::vector<std::string>{address};
  ASSIGN_OR_RETURN(const HostPort host_port, ParseHostPort(address));
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const std::string host = host_port.host.empty() ? "localhost" : host_port.host;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error != 0) {
    return absl::UnavailableError(absl::StrCat("cannot resolve ", host, ": ", gai_strerror(error)));
  }
  std::vector<std::string> targets = TargetsOf(list, AF_INET, host_port.port);
  if (targets.empty()) targets = TargetsOf(list, AF_INET6, host_port.port);
  freeaddrinfo(list);
  if (targets.empty()) return absl::UnavailableError(absl::StrCat(host, " has no address"));
  return targets;
}

}  // namespace tocsin::notifier
