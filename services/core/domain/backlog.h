// What a receiver is spared when too much waits for it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/core/domain/delivery.h"
#include "services/core/domain/keys.h"

namespace tocsin::core {

// More deliveries of one monitor and channel than these do not wait: see CutBacklog.
inline constexpr int kMostWaiting = 10;

struct BacklogCut {
  std::vector<DeliveryKey> superseded;
  DeliveryKey newest = 0;
  int32_t skipped = 0;  // what the newest delivery says from now on
  absl::Time at;        // when the newest was made, which is when the cut happens
};

// `queue`: the unfinished deliveries of one monitor and channel but for redeliveries, in order.
// Reminders that wait are superseded by whatever is newer: it says all that they say, so that
// nothing is left out. When more than kMostWaiting of the others wait, the one that tells the
// oldest FIRING and the newest are kept, and the newest says how many events were left out between
// what the receiver hears. With `knows_incidents` the ends of that FIRING, and of one that the
// receiver has heard of before, are kept too. One with a lease, even an expired one, does not wait:
// somebody may be sending it. It is kept.
std::optional<BacklogCut> CutBacklog(absl::Span<const Delivery> queue, bool knows_incidents);

}  // namespace tocsin::core
