// Hands leased deliveries to notifiers and takes their reports.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "services/core/store/store.h"

namespace tocsin::core {

struct DeliveryMetrics;

struct DeliveryQueueOptions {
  absl::Duration lease = absl::Seconds(30);
  int lease_limit = 256;   // deliveries in one lease call
  int per_channel = 128;   // live leases of one channel
  absl::Duration longest_rest = absl::Seconds(1);
  absl::Duration failing_after = absl::Minutes(10);  // then channel.failing is told
  size_t report_limit = 100'000;  // reports waiting to be applied; above it Report says no
};

// Thread-safe. Streams attach and detach; one periodic tick does the work for all of them.
class DeliveryQueue {
 public:
  // Called on the tick's thread, without a lock held; must not block.
  using Assign = std::function<void(std::vector<LeasedDelivery>)>;
  using StreamId = uint64_t;

  DeliveryQueue(Store& store, const Clock& clock, DeliveryQueueOptions options,
                DeliveryMetrics& metrics);

  StreamId Attach(std::string notifier, Assign assign);
  // No Assign call is running or will come when it returns.
  void Detach(StreamId stream);
  void GrantCredits(StreamId stream, uint32_t credits);
  // Queues reports; they are applied by the next tick. False: too many wait, the stream should end.
  bool Report(std::vector<DeliveryReport> reports);
  // Called (quickly) when a tick should happen at once.
  void OnUrgent(std::function<void()> wake);

  // Applies the reports, tells what befell channels (410, dead deliveries, failing for long), and
  // leases to streams with credits. Returns how long to rest; bounded work.
  absl::Duration Tick();

 private:
  struct Stream {
    std::string notifier;
    Assign assign;
    uint64_t credits = 0;
  };
  absl::Status ApplyReports(absl::Time now);
  absl::Status TellChannels(const ReportEffects& effects, absl::Time now);
  absl::StatusOr<bool> LeaseOnce(absl::Time now);

  Store& store_;
  const Clock& clock_;
  const DeliveryQueueOptions options_;
  DeliveryMetrics& metrics_;
  absl::Mutex assigning_;  // held while Assign runs; Detach waits for it
  absl::Mutex mutex_;
  std::map<StreamId, Stream> streams_ ABSL_GUARDED_BY(mutex_);
  StreamId next_stream_ ABSL_GUARDED_BY(mutex_) = 1;
  StreamId last_served_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<DeliveryReport> reports_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> wake_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin::core
