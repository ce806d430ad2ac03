// Which network addresses a webhook may be sent to: the guard against requests forged through us
// (SSRF) into the networks that we can reach and the person who made the channel cannot.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tocsin::notifier {

// An IPv4 or IPv6 address. A value.
struct IpAddress {
  bool is_v4 = false;
  std::array<uint8_t, 16> bytes{};  // IPv4 uses the first four

  // "192.0.2.1", "2001:db8::1"; no brackets, no zone.
  static std::optional<IpAddress> Parse(absl::string_view text);
  // From a socket address; nullopt for other families.
  static std::optional<IpAddress> FromSockaddr(const sockaddr* address);
  std::string ToString() const;
  // The IPv4 address that this IPv6 address leads to (IPv4-mapped, NAT64 64:ff9b::/96, 6to4).
  std::optional<IpAddress> Embedded() const;
};

// A network, e.g. 10.1.0.0/16.
struct IpNetwork {
  IpAddress address;
  int prefix = 0;  // bits

  // "10.1.0.0/16", "fd00::/8", or a single address. INVALID_ARGUMENT names the text.
  static absl::StatusOr<IpNetwork> Parse(absl::string_view text);
  bool Contains(const IpAddress& other) const;
};

// Immutable, so thread safe.
class AddressPolicy {
 public:
  // `allow_private` opens what is merely not public (loopback, private, link-local, metadata,
  // carrier-grade NAT); `allowed` opens exactly these networks.
  AddressPolicy(bool allow_private, std::vector<IpNetwork> allowed)
      : allow_private_(allow_private), allowed_(std::move(allowed)) {}

  // Public unicast addresses are allowed, and what the options open. Of an IPv6 address that leads
  // to an IPv4 address, the latter decides. Unspecified, multicast, broadcast and reserved
  // addresses can only be opened by `allowed`.
  bool Allows(const IpAddress& address) const;

 private:
  bool allow_private_;
  std::vector<IpNetwork> allowed_;
};

}  // namespace tocsin::notifier
