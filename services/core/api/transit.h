// How much longer than others a message was on its way from a gateway.
#pragma once

#include "absl/time/time.h"

namespace tocsin::core {

// For the messages of one stream, in order. The two monotonic clocks have nothing in common but
// their pace, so what can be known is the difference to the quickest message of the last 10 to
// 20 s (two windows, so that clocks of slightly different pace may drift apart). A
// message that waited in a socket while this process or the network stood still is found out by it.
// Not thread-safe.
class Transit {
 public:
  // `sent` on the sender's clock, `received` on ours. Zero for the first message.
  absl::Duration Excess(absl::Duration sent, absl::Duration received);

 private:
  absl::Duration window_begun_ = -absl::InfiniteDuration();
  // The least of received - sent.
  absl::Duration current_ = absl::InfiniteDuration();
  absl::Duration previous_ = absl::InfiniteDuration();
};

}  // namespace tocsin::core
