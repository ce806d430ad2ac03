// Gathers the alerts of a storm into digests; the plan is that of domain/gathering.h.
//
// The deliveries that a digest tells stay pending until it is done, leased for ever under its id:
// they are not sent, not withdrawn, and what follows them waits.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/domain/keys.h"
#include "services/core/store/pg/session.h"

namespace tocsin::core::pg {

// Lets those go that need not wait any more, alone or as digests. Call it with the lock of leases.
absl::Status GatherDeliveries(Session& session, absl::Time now);

// When it has something to do; InfiniteFuture: nothing waits.
absl::StatusOr<absl::Time> NextGatheringAt(Session& session);

// What became of a digest that is finished becomes of those that it tells; their keys are added to
// `keys`.
absl::Status FollowDigest(Session& session, DeliveryKey digest, std::vector<DeliveryKey>& keys);

// Makes good what a core of a release has left that knows nothing of digests: one that it finished,
// and what it has leased of those that may be gathered.
absl::Status MendDigests(Session& session);

}  // namespace tocsin::core::pg
