// Keeps a delivery stream to every core: takes deliveries, grants credits, reports outcomes.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/periodic_task.h"
#include "common/standstills.h"
#include "services/notifier/channel/delivery.h"
#include "services/notifier/metrics.h"
#include "services/notifier/stream/deliver_stream.h"
#include "services/notifier/stream/report_outbox.h"

namespace tocsin::notifier {

struct DeliveryClientOptions {
  std::vector<std::string> core_addresses;  // "host:port" or "unix:…"
  std::string core_key;                     // what core knows us by; empty: nothing
  std::string name;                         // of this notifier, for core's logs
  int max_assigned = 4096;                  // deliveries held at a time, shared among the cores
  absl::Duration report_interval = absl::Milliseconds(10);  // reports are batched for this long
  size_t report_batch = 100;                                // or until there are so many
  absl::Duration first_backoff = absl::Milliseconds(100);   // before a stream is opened again
  absl::Duration longest_backoff = absl::Seconds(2);
  absl::Duration resolve_interval = absl::Seconds(30);  // names are looked up again
};

// Thread safe. `take` is called on gRPC's threads, possibly several at a time.
class DeliveryClient : private DeliverStream::Listener {
 public:
  using Take = std::function<void(std::vector<Delivery>)>;

  // Begins at once. `clock` and `metrics` must outlive it, and what `take` uses.
  DeliveryClient(const DeliveryClientOptions& options, const MonotonicClock& clock,
                 NotifierMetrics& metrics, Take take);
  // Closes without waiting for anything but gRPC.
  ~DeliveryClient() override;
  DeliveryClient(const DeliveryClient&) = delete;
  DeliveryClient& operator=(const DeliveryClient&) = delete;

  // Tells core what became of a delivery, by the stream that assigned it if that still is, or by
  // any other, now or when there is one.
  void Report(notifier::Report report);
  // Streams that are connected.
  int connected() const;
  // Whether a core refuses us for want of a good key. It is asked again, more and more seldom.
  bool refused() const;
  // Grants no more credit. What was granted may still be assigned.
  void StopTaking();
  // Tells what is left to tell, ends all streams and waits for that up to `timeout`, then breaks
  // them. No `take` is called afterwards. Idempotent.
  void Close(absl::Duration timeout);

 private:
  // A core, as the resolver knows it.
  struct Target {
    std::string address;
    std::unique_ptr<internal::v1::DeliveryService::Stub> stub;
    bool wanted = true;       // the resolver still names it
    bool seen = false;        // a stream to it was up once
    bool refused = false;     // the last one ended for want of a good key
    uint64_t stream = 0;      // 0: none
    absl::Duration retry_at;  // when there is none
    absl::Duration backoff;
    ChangeLogger logger{"core_stream"};
  };
  struct Stream {
    std::unique_ptr<DeliverStream> stream;
    Target* target = nullptr;
    ReportOutbox outbox;
    bool up = false;
    absl::Duration opened_at;
    int credits = 0;   // granted and not used
    int assigned = 0;  // and not reported
  };

  void OnStreamUp(uint64_t id) override;
  void OnAssignments(uint64_t id, const internal::v1::DeliverResponse& response) override;
  void OnStreamDown(uint64_t id, const grpc::Status& status) override;

  absl::Duration Resolve();
  absl::Duration Tend();
  void OpenStreams(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Flush(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Writes to one stream what there is, as far as it takes it.
  void FlushStream(Stream& stream, absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Stream* AnyStreamUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AdoptHomeless() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Credit that each stream may hold, so that all together hold no more than is allowed.
  int Share() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // From when a lease that is read now counts.
  absl::Duration LeasedAt(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ShowState() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const DeliveryClientOptions options_;
  const MonotonicClock& clock_;
  NotifierMetrics& metrics_;
  const Take take_;
  ChangeLogger resolve_logger_{"core_resolve"};
  mutable absl::Mutex mutex_;
  std::map<std::string, std::unique_ptr<Target>> targets_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, std::unique_ptr<Stream>> streams_ ABSL_GUARDED_BY(mutex_);
  // Streams that are down. They are buried on a thread of ours, see DeliverStream.
  std::vector<std::unique_ptr<DeliverStream>> dead_ ABSL_GUARDED_BY(mutex_);
  Standstills standstills_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_stream_ ABSL_GUARDED_BY(mutex_) = 0;
  int connected_ ABSL_GUARDED_BY(mutex_) = 0;
  bool taking_ ABSL_GUARDED_BY(mutex_) = true;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<notifier::Report> homeless_ ABSL_GUARDED_BY(mutex_);  // whose stream is gone
  size_t waiting_reports_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Duration flushed_at_ ABSL_GUARDED_BY(mutex_);
  // Last: they start when all else is ready.
  std::unique_ptr<PeriodicTask> tender_;    // opens streams, writes what waits
  std::unique_ptr<PeriodicTask> resolver_;  // looks names up
};

}  // namespace tocsin::notifier
