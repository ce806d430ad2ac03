// Deliveries as they are made.
#include "services/core/store/new_delivery.h"

#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/random.h"

namespace tocsin::core {
namespace {

constexpr size_t kIdBytes = 16;  // 22 characters

}  // namespace

Delivery NewDelivery(ProjectKey project, DeliveryType type, absl::Time now) {
  Delivery delivery;
  delivery.id = absl::StrCat("msg_", absl::WebSafeBase64Escape(RandomBytes(kIdBytes)));
  delivery.project = project;
  delivery.type = type;
  delivery.occurred_at = now;
  delivery.created_at = now;
  delivery.next_attempt_at = now;
  delivery.expires_at = now + kDeliveryLifetime;
  return delivery;
}

}  // namespace tocsin::core
