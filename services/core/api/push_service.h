// Takes heartbeats over gRPC: one by one from services, in streams of batches from gateways.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "services/core/api/gate.h"
#include "services/core/engine/outage_guard.h"
#include "services/core/engine/push_creator.h"
#include "tocsin/internal/v1/push_service.grpc.pb.h"
#include "tocsin/v1/push_service.grpc.pb.h"

namespace tocsin::core {

// The public PushService. Thread-safe; what it is given must outlive it.
class PushServiceHandler : public v1::PushService::CallbackService {
 public:
  PushServiceHandler(Gate& gate, PushCreator& pushes, const Clock& clock);

  grpc::ServerUnaryReactor* Push(grpc::CallbackServerContext* context,
                                 const v1::PushRequest* request,
                                 v1::PushResponse* response) override;

 private:
  Gate& gate_;
  PushCreator& pushes_;
  const Clock& clock_;
};

// The gateways' PushStream. Thread-safe; what it is given must outlive it, and it must outlive the
// gRPC server.
class PushStreamHandler : public internal::v1::PushService::CallbackService {
 public:
  PushStreamHandler(Gate& gate, PushCreator& pushes, OutageGuard& guard, const Clock& clock,
                    const MonotonicClock& monotonic);
  ~PushStreamHandler() override;

  grpc::ServerBidiReactor<internal::v1::PushStreamRequest, internal::v1::PushStreamResponse>*
  PushStream(grpc::CallbackServerContext* context) override;

  // Asks every gateway that was silent for a moment for a sign of life.
  void Ask();

  // Ends, as Drain does, the streams whose key gives access no more.
  void Recheck();

  // Every stream stops reading, answers what it read, and ends with OK; so does each new one.
  // Waits until all have ended, but no longer than `timeout`; whether they have.
  bool Drain(absl::Duration timeout);

 private:
  class Refused;
  class Stream;
  void Remove(Stream* stream);

  Gate& gate_;
  PushCreator& pushes_;
  OutageGuard& guard_;
  const Clock& clock_;
  const MonotonicClock& monotonic_;
  absl::Mutex mutex_;  // taken before that of a stream
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<Stream*> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin::core
