// Pushes that the gateway refused, counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "services/core/domain/keys.h"

namespace tocsin::core {

// The numbers are stored, and those of the internal proto: never change one.
enum class Rejection : int16_t {
  kBadParameter = 1,  // 400
  kTooLarge = 2,      // 413
  kTooOften = 3,      // 429
  kUnknownToken = 4,  // 404: a token that was the monitor's once
};

// "400 bad parameter".
std::string_view RejectionText(Rejection rejection);

inline constexpr size_t kMaxRejectionDetailBytes = 200;
inline constexpr size_t kMaxRejectionSourceBytes = 64;
// More rows of one monitor are not kept; the oldest go first.
inline constexpr int kMaxRejectedRows = 1000;

// Those of one monitor, one minute, one reason and one address.
struct RejectedPush {
  MonitorKey monitor = 0;
  absl::Time minute;  // its beginning
  absl::Time newest;  // when the newest of them was
  Rejection reason = Rejection::kBadParameter;
  std::string source;  // the client's address
  int64_t count = 0;
  std::string detail;  // what the newest was told

  friend bool operator==(const RejectedPush&, const RejectedPush&) = default;
};

}  // namespace tocsin::core
