// Drops incidents, alert events and finished deliveries after their time, in small steps.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/store/pg/session.h"

namespace tocsin::core::pg {

// What the end of an incident will be told from stays, however old: the incident that is open, or
// whose end waits until its monitor is steady, its FIRING, and the deliveries of that, which say
// who was told.
//
// One call at a time.
class AlertRetention {
 public:
  // Looks at so many of each kind at most, from the oldest on, and at the next ones with the next
  // call: what stays keeps nothing behind it from being dropped. Returns whether to call again
  // soon. After an error of one kind the others are dropped all the same.
  absl::StatusOr<bool> Drop(Session& session, absl::Time before, int most);

 private:
  static constexpr size_t kKinds = 3;
  std::array<std::atomic<int64_t>, kKinds> looked_to_{};  // keys; 0: from the oldest on
};

}  // namespace tocsin::core::pg
