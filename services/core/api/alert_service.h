// tocsin.v1.AlertService: streams alert events to internal services.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "services/core/api/gate.h"
#include "services/core/engine/alert_feed.h"
#include "services/core/store/store.h"
#include "tocsin/v1/alert_service.grpc.pb.h"

namespace tocsin::core {

class AlertWatch;

// Thread-safe. Each watcher has a thread of its own, since reading the feed blocks; so there may be
// only so many of them.
class AlertServiceHandler : public v1::AlertService::CallbackService {
 public:
  // Of one process, at once; one more is refused with TooManyWatches.
  static constexpr int kMaxWatches = 100;

  // Both must outlive it.
  AlertServiceHandler(Gate& gate, AlertFeed& feed, Store& store);
  // Stops, and waits for the threads of all watches; every call must have ended: destroy it after
  // the server was shut down.
  ~AlertServiceHandler() override;

  grpc::ServerWriteReactor<v1::WatchAlertsResponse>* WatchAlerts(
      grpc::CallbackServerContext* context, const v1::WatchAlertsRequest* request) override;

  // Ends every stream with UNAVAILABLE and refuses new ones. Call it before the server's Shutdown,
  // which waits for streams. Does not block on clients.
  void Stop();

 private:
  friend class AlertWatch;
  void Forget(AlertWatch* watch);

  Gate& gate_;
  AlertFeed& feed_;
  Store& store_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  int workers_ ABSL_GUARDED_BY(mutex_) = 0;  // threads of watches
  absl::flat_hash_map<AlertWatch*, std::shared_ptr<AlertWatch>> watches_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin::core
