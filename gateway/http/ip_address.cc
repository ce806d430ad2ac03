// Addresses and networks, parsed by inet_pton.
#include "gateway/http/ip_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "absl/status/status.h"

namespace tocsin::http {
namespace {

constexpr std::array<uint8_t, 12> kV4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<IpAddress> ParsePlain(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof(buffer)) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  std::array<uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, buffer, bytes.data()) == 1) return IpAddress(bytes);
  std::copy(kV4Prefix.begin(), kV4Prefix.end(), bytes.begin());
  if (inet_pton(AF_INET, buffer, bytes.data() + 12) == 1) return IpAddress(bytes);
  return std::nullopt;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  text = Trim(text);
  if (!text.empty() && text.front() == '[') {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    return ParsePlain(text.substr(1, end - 1));
  }
  // One colon: IPv4 with a port.
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    text = text.substr(0, colon);
  }
  return ParsePlain(text);
}

IpAddress IpAddress::FromSockaddr(const sockaddr_storage& address) {
  std::array<uint8_t, 16> bytes{};
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    std::memcpy(bytes.data(), &v6.sin6_addr, 16);
  } else if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    std::copy(kV4Prefix.begin(), kV4Prefix.end(), bytes.begin());
    std::memcpy(bytes.data() + 12, &v4.sin_addr, 4);
  }
  return IpAddress(bytes);
}

bool IpAddress::IsV4() const {
  return std::equal(kV4Prefix.begin(), kV4Prefix.end(), bytes_.begin());
}

IpAddress IpAddress::Prefix(int bits) const {
  IpAddress result;
  for (int i = 0; i < 16 && bits > 0; ++i, bits -= 8) {
    const uint8_t mask = bits >= 8 ? 0xff : static_cast<uint8_t>(0xff << (8 - bits));
    result.bytes_[i] = bytes_[i] & mask;
  }
  return result;
}

std::string IpAddress::ToString() const {
  char buffer[INET6_ADDRSTRLEN];
  if (IsV4()) return inet_ntop(AF_INET, bytes_.data() + 12, buffer, sizeof(buffer));
  return inet_ntop(AF_INET6, bytes_.data(), buffer, sizeof(buffer));
}

absl::StatusOr<IpNetwork> IpNetwork::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = ParsePlain(text.substr(0, slash));
  if (!address) {
    return absl::InvalidArgumentError("\"" + std::string(text) +
                                      "\" is not an address or network like 10.0.0.0/8");
  }
  const int width = address->IsV4() ? 32 : 128;
  int bits = width;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc() || end != digits.data() + digits.size() || bits < 0 || bits > width) {
      return absl::InvalidArgumentError("\"" + std::string(text) +
                                        "\" has no prefix length of 0 to " + std::to_string(width));
    }
  }
  bits += 128 - width;
  return IpNetwork(address->Prefix(bits), bits);
}

absl::StatusOr<std::vector<IpNetwork>> IpNetwork::ParseList(std::string_view text) {
  std::vector<IpNetwork> networks;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view item = Trim(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (item.empty()) continue;
    auto network = Parse(item);
    if (!network.ok()) return network.status();
    networks.push_back(*network);
  }
  return networks;
}

}  // namespace tocsin::http
