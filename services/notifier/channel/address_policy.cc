// The tables are those of the IANA special-purpose address registries (RFC 6890 and its updates)
// and the metadata addresses of the clouds.
#include "services/notifier/channel/address_policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tocsin::notifier {
namespace {

// Not public, but somebody's: `allow_private` opens them.
constexpr const char* kPrivateNetworks[] = {
    "10.0.0.0/8",        // private
    "100.64.0.0/10",     // carrier-grade NAT; holds Alibaba's metadata address
    "127.0.0.0/8",       // loopback
    "168.63.129.16/32",  // Azure's metadata and control address: public by number only
    "169.254.0.0/16",    // link-local; holds most metadata addresses
    "172.16.0.0/12",     // private
    "192.0.0.0/24",      // IETF protocol assignments; holds Oracle's metadata address
    "192.168.0.0/16",    // private
    "198.18.0.0/15",     // benchmarking
    "::1/128",           // loopback
    "64:ff9b:1::/48",    // NAT64 of a local network: leads who knows where
    "fc00::/7",          // unique local; holds AWS's metadata address
    "fe80::/10",         // link-local
    "fec0::/10",         // site-local, deprecated
};

// Never a receiver.
constexpr const char* kUnusableNetworks[] = {
    "0.0.0.0/8",        // this host; connects to loopback
    "192.0.2.0/24",     // documentation
    "192.88.99.0/24",   // 6to4 relays, deprecated
    "198.51.100.0/24",  // documentation
    "203.0.113.0/24",   // documentation
    "224.0.0.0/4",      // multicast
    "240.0.0.0/4",      // reserved, broadcast
    "::/96",            // unspecified, IPv4-compatible (deprecated); ::1 is told above
    "::ffff:0:0:0/96",  // IPv4-translated
    "100::/64",         // discard
    "2001::/23",        // IETF protocol assignments; holds Teredo 2001::/32
    "2001:db8::/32",    // documentation
    "3fff::/20",        // documentation
    "5f00::/16",        // segment routing
    "ff00::/8",         // multicast
};

template <size_t n>
std::vector<IpNetwork> ParseTable(const char* const (&table)[n]) {
  std::vector<IpNetwork> networks;
  for (const char* text : table) networks.push_back(*IpNetwork::Parse(text));
  return networks;
}

bool AnyContains(const std::vector<IpNetwork>& networks, const IpAddress& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&address](const IpNetwork& network) { return network.Contains(address); });
}

bool IsPrivate(const IpAddress& address) {
  static const auto* networks = new std::vector<IpNetwork>(ParseTable(kPrivateNetworks));
  return AnyContains(*networks, address);
}

bool IsUnusable(const IpAddress& address) {
  static const auto* networks = new std::vector<IpNetwork>(ParseTable(kUnusableNetworks));
  return AnyContains(*networks, address);
}

IpAddress V4At(const IpAddress& address, size_t offset) {
  IpAddress v4;
  v4.is_v4 = true;
  std::copy_n(address.bytes.begin() + offset, 4, v4.bytes.begin());
  return v4;
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(absl::string_view text) {
  const std::string copy(text);
  IpAddress address;
  if (inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) {
    address.is_v4 = true;
    return address;
  }
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::FromSockaddr(const sockaddr* address) {
  IpAddress ip;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof(v4));
    ip.is_v4 = true;
    std::memcpy(ip.bytes.data(), &v4.sin_addr, 4);
    return ip;
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof(v6));
    std::memcpy(ip.bytes.data(), &v6.sin6_addr, 16);
    return ip;
  }
  return std::nullopt;
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof(text));
  return text;
}

std::optional<IpAddress> IpAddress::Embedded() const {
  static const IpNetwork mapped = *IpNetwork::Parse("::ffff:0:0/96");
  static const IpNetwork nat64 = *IpNetwork::Parse("64:ff9b::/96");
  static const IpNetwork six_to_four = *IpNetwork::Parse("2002::/16");
  if (mapped.Contains(*this) || nat64.Contains(*this)) return V4At(*this, 12);
  if (six_to_four.Contains(*this)) return V4At(*this, 2);
  return std::nullopt;
}

absl::StatusOr<IpNetwork> IpNetwork::Parse(absl::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<IpAddress> address = IpAddress::Parse(text.substr(0, slash));
  if (!address.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not a network such as 10.1.0.0/16 or fd00::/8"));
  }
  const int bits = address->is_v4 ? 32 : 128;
  int prefix = bits;
  if (slash != absl::string_view::npos &&
      (!absl::SimpleAtoi(text.substr(slash + 1), &prefix) || prefix < 0 || prefix > bits)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\": the prefix is a number from 0 to ", bits));
  }
  return IpNetwork{*address, prefix};
}

bool IpNetwork::Contains(const IpAddress& other) const {
  if (address.is_v4 != other.is_v4) return false;
  const int whole = prefix / 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, other.bytes.begin())) {
    return false;
  }
  const int rest = prefix % 8;
  if (rest == 0) return true;
  const int mask = 0xFF << (8 - rest);
  return ((address.bytes[whole] ^ other.bytes[whole]) & mask & 0xFF) == 0;
}

bool AddressPolicy::Allows(const IpAddress& address) const {
  if (AnyContains(allowed_, address)) return true;
  if (const std::optional<IpAddress> embedded = address.Embedded()) return Allows(*embedded);
  if (IsPrivate(address)) return allow_private_;
  return !IsUnusable(address);
}

}  // namespace tocsin::notifier
