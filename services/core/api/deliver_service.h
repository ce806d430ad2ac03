// Hands leased deliveries to notifiers over gRPC.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "services/core/api/gate.h"
#include "services/core/engine/delivery_queue.h"
#include "tocsin/internal/v1/delivery_service.grpc.pb.h"

namespace tocsin::core {

// The notifiers' DeliveryService. Thread-safe; what it is given must outlive it, and it must
// outlive the gRPC server.
class DeliverHandler : public internal::v1::DeliveryService::CallbackService {
 public:
  // `public_url`: where Tocsin is reached, without a slash at the end; empty: not known.
  DeliverHandler(Gate& gate, DeliveryQueue& queue, const Clock& clock, std::string public_url);
  ~DeliverHandler() override;

  grpc::ServerBidiReactor<internal::v1::DeliverRequest, internal::v1::DeliverResponse>* Deliver(
      grpc::CallbackServerContext* context) override;

  // Ends, as Stop does, the streams whose key gives access no more.
  void Recheck();

  // Every stream gets what was leased for it and ends with OK; so does each new one. Waits until
  // all have ended, but no longer than `timeout`; whether they have.
  bool Stop(absl::Duration timeout);

 private:
  class Refused;
  class Stream;
  void Remove(const std::shared_ptr<Stream>& stream);

  Gate& gate_;
  DeliveryQueue& queue_;
  const Clock& clock_;
  const std::string public_url_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<std::shared_ptr<Stream>> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin::core
