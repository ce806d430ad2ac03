// One PushStream call to one replica of core, by gRPC's callback API.
#pragma once

#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gateway/core_link/dispatcher.h"
#include "gateway/http/event_loop.h"
#include "tocsin/internal/v1/push_service.grpc.pb.h"

namespace tocsin::gateway {

// Counts the calls that gRPC still knows of, so that whoever they report to can wait for the last.
class CallCounter {
 public:
  void Add() ABSL_LOCKS_EXCLUDED(mutex_);
  void Done() ABSL_LOCKS_EXCLUDED(mutex_);
  void AwaitNone() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Mutex mutex_;
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Public methods: loop thread. Everything else happens on gRPC's threads, which post to the loop:
// one task for each answer.
class GrpcStream final : private grpc::ClientBidiReactor<internal::v1::PushStreamRequest,
                                                         internal::v1::PushStreamResponse>,
                         public std::enable_shared_from_this<GrpcStream> {
 public:
  // Is told on the loop's thread, as long as it is alive.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnAnswer(const internal::v1::PushStreamResponse& answer) = 0;
    // Core said that it takes the stream, before anything was to be answered. An older one does
    // not.
    virtual void OnAccepted() = 0;
    // The last thing that is heard. OK: core ended the stream.
    virtual void OnEnd(const grpc::Status& status) = 0;
  };
  using Request = internal::v1::PushStreamRequest;

  // Begins the call with that key (empty: none), which waits for the connection. The stream lives
  // until it has ended and the last pointer is gone; `loop` and `calls` must outlive it
  // (CallCounter::AwaitNone).
  static std::shared_ptr<GrpcStream> Start(internal::v1::PushService::Stub& stub,
                                           const std::string& key, http::EventLoop& loop,
                                           CallCounter& calls, std::weak_ptr<Listener> listener);

  std::unique_ptr<Request> NewRequest() ABSL_LOCKS_EXCLUDED(mutex_);
  void Send(std::unique_ptr<Request> request) ABSL_LOCKS_EXCLUDED(mutex_);
  // Tells core that no more will come; answers still arrive.
  void HalfClose() ABSL_LOCKS_EXCLUDED(mutex_);
  void Cancel() { context_.TryCancel(); }

 private:
  GrpcStream(http::EventLoop& loop, CallCounter& calls, std::weak_ptr<Listener> listener);

  void OnReadInitialMetadataDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnWritesDoneDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  // Begins the next write if there is one. gRPC allows one at a time, and never under our lock:
  // it may call back from inside.
  void WriteNext() ABSL_LOCKS_EXCLUDED(mutex_);
  // `started` writes have begun. Ends the hold once the stream has ended and nobody is between
  // deciding to write and having begun: without it the call could be over in between.
  void LetGo(int started) ABSL_LOCKS_EXCLUDED(mutex_);

  http::EventLoop& loop_;
  CallCounter& calls_;
  const std::weak_ptr<Listener> listener_;
  std::shared_ptr<GrpcStream> self_;  // until OnDone
  grpc::ClientContext context_;
  std::unique_ptr<internal::v1::PushStreamResponse> response_;

  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;    // nothing may be written any more
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;  // a write is under way
  int starting_ ABSL_GUARDED_BY(mutex_) = 0;      // threads that are beginning one
  bool held_ ABSL_GUARDED_BY(mutex_) = true;
  bool half_close_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<Request> current_ ABSL_GUARDED_BY(mutex_);  // gRPC reads it
  std::deque<std::unique_ptr<Request>> queue_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Request>> spare_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin::gateway
