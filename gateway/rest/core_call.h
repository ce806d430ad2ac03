// Calls of core's public services, whose messages are bytes here: what they mean is known only by
// reflection.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gateway/core_link/grpc_stream.h"

namespace tocsin::gateway {

// What a call carries besides its message.
struct CallMetadata {
  std::string authorization;  // the client's; empty: it sent none
  std::string request_id;
  std::string client;   // its address
  std::string gateway;  // the gateway's own credential; empty: it has none

  // What gRPC can carry: printable ASCII, not too long. It ends the process for anything else.
  static bool Fits(std::string_view value);
};

// The last pointer to a call that has ended. To be dropped on the loop's thread: the call may hold
// the last reference to its channel, whose end joins gRPC's threads.
using EndedCall = std::shared_ptr<void>;

// A call that is answered by one message.
class UnaryCall {
 public:
  // Is called on a thread of gRPC's, once. Until it returns, `calls` counts the call.
  using Done =
      std::function<void(const grpc::Status& status, std::string response, EndedCall call)>;

  static std::shared_ptr<UnaryCall> Start(std::shared_ptr<grpc::Channel> channel,
                                          const std::string& method, const std::string& request,
                                          const CallMetadata& metadata, absl::Duration timeout,
                                          CallCounter& calls, Done done);
  void Cancel() { context_.TryCancel(); }
  const grpc::Channel* channel() const { return channel_.get(); }

 private:
  UnaryCall() = default;

  std::shared_ptr<UnaryCall> self_;  // until it is done
  std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

// A call that is answered by a stream of messages, each read when it is asked for.
class ServerStreamCall final : private grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  // Called on threads of gRPC's, one call at a time.
  struct Listener {
    std::function<void(std::string message)> on_message;
    // The last thing that is heard. `calls` counts the call until it returns.
    std::function<void(const grpc::Status& status, EndedCall call)> on_end;
  };

  // Begins, and asks for the first message.
  static std::shared_ptr<ServerStreamCall> Start(std::shared_ptr<grpc::Channel> channel,
                                                 const std::string& method,
                                                 const std::string& request,
                                                 const CallMetadata& metadata, CallCounter& calls,
                                                 Listener listener);
  // Asks for the next message; nothing while one is on its way. Any thread.
  void ReadOn() ABSL_LOCKS_EXCLUDED(mutex_);
  // Any thread, any number of times.
  void Cancel() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  ServerStreamCall(CallCounter& calls, Listener listener)
      : calls_(calls), listener_(std::move(listener)) {}

  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  // Whether the hold, which keeps the call open while no read is under way, has to go now.
  bool TakeHold() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  CallCounter& calls_;
  const Listener listener_;
  std::shared_ptr<ServerStreamCall> self_;  // until OnDone
  std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;

  absl::Mutex mutex_;
  bool reading_ ABSL_GUARDED_BY(mutex_) = true;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool held_ ABSL_GUARDED_BY(mutex_) = true;
};

}  // namespace tocsin::gateway
