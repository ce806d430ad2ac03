// Carries deliveries to their receivers and reports what became of them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/random/random.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "services/notifier/channel/delivery.h"
#include "services/notifier/channel/event_loop.h"
#include "services/notifier/channel/http_client.h"
#include "services/notifier/delivery/dispatcher.h"
#include "services/notifier/delivery/retry_policy.h"
#include "services/notifier/delivery/verdict.h"
#include "services/notifier/delivery_log.h"
#include "services/notifier/metrics.h"

namespace tocsin::notifier {

struct CourierOptions {
  DispatcherOptions dispatcher;
  RetryPolicy retry;
  absl::Duration request_timeout = absl::Seconds(10);  // never more than half of the lease
};

// Every delivery that it takes is reported exactly once. Lives on `loop`: must be made and
// destroyed there, when no Take or Drain can follow; requests under way must have ended or their
// client be gone.
class Courier {
 public:
  // `report` is called on the loop. Everything given must outlive it.
  Courier(const CourierOptions& options, const Clock& clock, EventLoop& loop, HttpClient& http,
          NotifierMetrics& metrics, std::function<void(Report)> report);
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  // Any thread.
  void Take(std::vector<Delivery> deliveries);
  // Hands back what was not begun, and from now on everything that is taken. Any thread.
  void Drain();
  // Waits until Drain has been followed and no request is under way; whether that came within
  // `timeout`. Any thread but the loop's.
  bool AwaitIdle(absl::Duration timeout) const;

 private:
  struct Job {
    Delivery delivery;
    absl::Duration timeout;
    absl::Duration begin_by;
    absl::Duration began;
  };

  void Accept(std::vector<Delivery> deliveries);
  void HandBack(const std::vector<Dispatcher::Deferral>& deferrals);
  // Does what the dispatcher decides, until it decides nothing more.
  void Pump();
  // Sends; false when it could not.
  bool Begin(uint64_t ticket);
  void Send(uint64_t ticket, HttpRequest request);
  void Finish(uint64_t ticket, HttpResult result);
  void ShowLoad();

  const CourierOptions options_;
  const Clock& clock_;
  EventLoop& loop_;
  HttpClient& http_;
  NotifierMetrics& metrics_;
  const std::function<void(Report)> report_;
  const EventLoop::TimerId timer_;
  absl::BitGen random_;
  Dispatcher dispatcher_;
  DeliveryLog log_;
  uint64_t last_ticket_ = 0;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Job>> jobs_;
  bool draining_ = false;
  mutable absl::Mutex mutex_;
  bool idle_ ABSL_GUARDED_BY(mutex_) = false;  // drained, and nothing under way
};

}  // namespace tocsin::notifier
