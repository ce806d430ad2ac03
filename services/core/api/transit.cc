// How much longer than others a message was on its way from a gateway.
#include "services/core/api/transit.h"

#include <algorithm>

namespace tocsin::core {
namespace {

constexpr absl::Duration kWindow = absl::Seconds(10);

}  // namespace

absl::Duration Transit::Excess(absl::Duration sent, absl::Duration received) {
  // After a standstill of any length the window before it is still known: only a message ends one.
  if (received - window_begun_ >= kWindow) {
    previous_ = current_;
    current_ = absl::InfiniteDuration();
    window_begun_ = received;
  }
  const absl::Duration apart = received - sent;
  current_ = std::min(current_, apart);
  return apart - std::min(current_, previous_);
}

}  // namespace tocsin::core
