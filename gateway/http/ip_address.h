// An IPv4 or IPv6 address as 16 bytes, and a network of them: who is talking to us.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace tocsin::http {

// An IPv4 address is kept in its IPv4-mapped IPv6 form, so that both spellings are equal.
class IpAddress {
 public:
  // "::"
  IpAddress() : bytes_{} {}
  explicit IpAddress(const std::array<uint8_t, 16>& bytes) : bytes_(bytes) {}

  // "192.0.2.1", "2001:db8::1"; also with a port ("192.0.2.1:80", "[2001:db8::1]:80"), as some
  // proxies write it. Nothing when it is not an address.
  static std::optional<IpAddress> Parse(std::string_view text);
  // "::" for families other than IPv4 and IPv6.
  static IpAddress FromSockaddr(const sockaddr_storage& address);

  bool IsV4() const;
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }
  // The address with all but its first `bits` (of 128) cleared.
  IpAddress Prefix(int bits) const;
  std::string ToString() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const IpAddress& a) {
    return H::combine(std::move(h), a.bytes_);
  }

 private:
  std::array<uint8_t, 16> bytes_;
};

// "10.0.0.0/8", "2001:db8::/32"; a plain address is a network of one.
class IpNetwork {
 public:
  // INVALID_ARGUMENT says what is wrong. Host bits that are set are ignored.
  static absl::StatusOr<IpNetwork> Parse(std::string_view text);
  // A comma-separated list; empty is none.
  static absl::StatusOr<std::vector<IpNetwork>> ParseList(std::string_view text);

  bool Contains(const IpAddress& address) const { return address.Prefix(bits_) == prefix_; }

 private:
  IpNetwork(const IpAddress& prefix, int bits) : prefix_(prefix), bits_(bits) {}

  IpAddress prefix_;
  int bits_;
};

}  // namespace tocsin::http
