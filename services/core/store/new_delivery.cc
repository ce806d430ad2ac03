// Deliveries as they are made.
#include "services/core/store/new_delivery.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/random.h"

namespace tocsin::core {
namespace {

constexpr size_t kTimeBytes = 6;
constexpr size_t kRandomBytes = 10;  // 22 characters in all, with the time

// Begins with the time, in milliseconds: ids that are made together stand together in an index,
// which else would change one page, anywhere, for each delivery.
std::string NewId(absl::Time now) {
  const auto milliseconds = static_cast<uint64_t>(absl::ToUnixMillis(now));
  std::string bytes;
  for (size_t byte = kTimeBytes; byte > 0; --byte) {
    bytes.push_back(static_cast<char>(milliseconds >> (8 * (byte - 1))));
  }
  for (uint64_t random = RandomId(); bytes.size() < kTimeBytes + kRandomBytes; random >>= 8) {
    if (bytes.size() == kTimeBytes + sizeof(random)) random = RandomId();
    bytes.push_back(static_cast<char>(random));
  }
  return absl::StrCat("msg_", absl::WebSafeBase64Escape(bytes));
}

}  // namespace

Delivery NewDelivery(ProjectKey project, DeliveryType type, absl::Time now) {
  Delivery delivery;
  delivery.id = NewId(now);
  delivery.project = project;
  delivery.type = type;
  delivery.occurred_at = now;
  delivery.created_at = now;
  delivery.next_attempt_at = now;
  delivery.expires_at = now + kDeliveryLifetime;
  return delivery;
}

}  // namespace tocsin::core
