// How many deliveries each channel may have out with notifiers, learned from how it took the last.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/core/domain/keys.h"
#include "services/core/store/records.h"

namespace tocsin::core {

struct AllowanceOptions {
  int first = 8;  // of a channel that nothing is known of, and of one that just failed
  int most = 512;
  absl::Duration prompt = absl::Seconds(1);  // from the lease to the report
  absl::Duration memory = absl::Minutes(10);
  size_t remembered_channels = 10'000;
};

// A receiver that hangs holds what it was leased until its requests time out, and that is what
// others cannot have meanwhile. So a channel begins with few leases, and each success that comes
// promptly gives it one more: twice as many with every round. A failure takes it back to the few; a
// success that comes late takes one away, so that a slow receiver is given about what it takes in
// the time that is prompt. Kept in memory: each replica learns for itself what it leased, and
// knows nothing after a restart. Thread-safe.
class LeaseAllowances {
 public:
  explicit LeaseAllowances(AllowanceOptions options) : options_(options) {}

  void Leased(absl::Span<const LeasedDelivery> leased, absl::Time now);
  // Reports of what others leased say nothing.
  void Reported(absl::Span<const DeliveryReport> reports, absl::Time now);
  // Of the channels that may have others than `first`.
  std::map<ChannelKey, int> Get(absl::Time now);
  int first() const { return options_.first; }

 private:
  struct Lease {
    ChannelKey channel = 0;
    absl::Time at;
  };
  struct Allowance {
    int leases = 0;
    absl::Time used;
  };

  void Learn(const DeliveryReport& report, const Lease& lease, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Leases that nobody reports, and channels that send nothing.
  void Forget(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const AllowanceOptions options_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Lease> leases_ ABSL_GUARDED_BY(mutex_);  // by delivery
  absl::flat_hash_map<ChannelKey, Allowance> allowances_ ABSL_GUARDED_BY(mutex_);
  absl::Time forgot_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace tocsin::core
