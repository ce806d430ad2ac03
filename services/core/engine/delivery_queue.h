// Hands leased deliveries to notifiers and takes their reports.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/clock.h"
#include "common/log.h"
#include "services/core/engine/channel_news.h"
#include "services/core/engine/lease_allowances.h"
#include "services/core/store/store.h"

namespace tocsin::core {

struct DeliveryMetrics;

struct DeliveryQueueOptions {
  absl::Duration lease = absl::Seconds(30);
  int lease_limit = 512;         // deliveries in one lease call
  AllowanceOptions per_channel;  // live leases of one channel
  // What a receiver that does not answer holds is what others cannot have: this much it may.
  int per_failing_channel = 4;
  absl::Duration longest_rest = absl::Seconds(1);
  absl::Duration failing_after = absl::Minutes(10);  // then channel.failing is told
  // While it says so others need the processor: no channel gets more than the first leases, and
  // none sooner than `held_back_rest` after the last ones. A few leases at a time, with each
  // report, cost the database ten times what they cost together. May be empty.
  std::function<bool()> holds_back;
  absl::Duration held_back_rest = absl::Milliseconds(200);
  size_t report_limit = 100'000;  // reports waiting to be applied; above it Report says no
};

// Thread-safe. Streams attach and detach; two periodic ticks, which may run at the same time, do
// the work for all of them.
class DeliveryQueue {
 public:
  // Called by TickLeases; must not block, nor call Detach.
  using Assign = std::function<void(std::vector<LeasedDelivery>)>;
  using StreamId = uint64_t;

  DeliveryQueue(Store& store, const Clock& clock, DeliveryQueueOptions options,
                DeliveryMetrics& metrics);

  StreamId Attach(std::string notifier, Assign assign);
  // No Assign call is running or will come when it returns. What the stream still holds is leased
  // again when its leases expire, unless it reports.
  void Detach(StreamId stream);
  void GrantCredits(StreamId stream, uint32_t credits);
  // Queues reports for the next TickReports. False: too many wait, the stream should end.
  bool Report(std::vector<DeliveryReport> reports);
  // Called (quickly) when a tick should happen at once.
  void OnUrgent(std::function<void()> wake_leases, std::function<void()> wake_reports);

  // Both return how long to rest; bounded work.
  // Applies the reports and tells what befell channels (410, dead deliveries, failing for long).
  absl::Duration TickReports();
  // Leases to streams with credits.
  absl::Duration TickLeases();

 private:
  struct Stream {
    std::string notifier;
    Assign assign;
    uint64_t credits = 0;
  };
  enum class Leased { kNobodyWants, kNone, kSome, kFull };

  // Applies reports from the front; those that an error kept from being applied stay.
  absl::Status ApplyReports(absl::Time now);
  absl::Status ApplySlice(absl::Span<const DeliveryReport> slice, absl::Time now);
  // One lease for the next stream with credits.
  absl::StatusOr<Leased> LeaseOnce(absl::Time now, bool held_back);
  void HandOver(StreamId stream, std::vector<LeasedDelivery> leased);
  // When nothing could be leased.
  absl::StatusOr<absl::Duration> RestUntilDue();
  enum class Task { kLeases, kReports };
  void Wake(Task task);

  Store& store_;
  const Clock& clock_;
  const DeliveryQueueOptions options_;
  DeliveryMetrics& metrics_;
  LeaseAllowances allowances_;
  static constexpr size_t kReportSlice = 500;  // reports in one transaction, at most
  // Of TickReports only.
  size_t slice_ = kReportSlice;  // halved by each failure, doubled after many successes
  int slices_until_more_ = 0;
  ChannelNews news_;
  ChangeLogger reports_log_{"delivery_reports"};
  ChangeLogger news_log_{"channel_news"};
  // Of TickLeases only.
  ChangeLogger leases_log_{"delivery_leases"};
  absl::Time looked_at_ = absl::InfinitePast();  // for what can be leased
  // Held while Assign runs; Detach waits for it.
  absl::Mutex assigning_ ABSL_ACQUIRED_BEFORE(mutex_);
  absl::Mutex mutex_;
  std::map<StreamId, Stream> streams_ ABSL_GUARDED_BY(mutex_);
  StreamId next_stream_ ABSL_GUARDED_BY(mutex_) = 1;
  StreamId last_served_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<DeliveryReport> reports_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> wake_leases_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> wake_reports_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin::core
