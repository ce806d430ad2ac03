// Keeps deliveries that must wait for an earlier one out of the way of those that are due.
//
// Correctness does not depend on it: leasing looks for an unfinished earlier delivery itself. But
// it would look at each of them on every call, so whoever waits is never due before the delivery
// that it waits for, and becomes due when that one finishes.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/core/domain/keys.h"
#include "services/core/store/pg/session.h"

namespace tocsin::core::pg {

// Those that wait for these, which have finished, are due `now`. Returns how many there were.
absl::StatusOr<int64_t> ReleaseFollowers(Session& session, absl::Span<const DeliveryKey> finished,
                                         absl::Time now);

// Those that wait for these, which have finished, are due no earlier than `until`: another may be
// sending them until then.
absl::Status HoldFollowers(Session& session, absl::Span<const DeliveryKey> finished,
                           absl::Time until);

// Those that wait for these, which were put off, are due no earlier.
absl::Status PutOffFollowers(Session& session, absl::Span<const DeliveryKey> put_off);

// Makes deliveries of channels that came back due at once (see channel.released_at), a bounded
// number of each channel per call: a backlog can be long.
absl::Status ReleaseBacklogs(Session& session, absl::Time now);

}  // namespace tocsin::core::pg
