// One io thread's connection to core: a channel and a stream for each replica, and the dispatcher
// that spreads pushes over them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/core_link/dispatcher.h"
#include "gateway/core_link/grpc_stream.h"
#include "gateway/http/event_loop.h"

namespace tocsin::gateway {

// Loop thread only; the destructor may run on any thread once the loop's thread has ended.
class CoreLink {
 public:
  // `core_key` is sent with every stream; empty: none. `sink` and `loop` must outlive the link.
  CoreLink(DispatcherOptions options, std::string core_key, http::EventLoop& loop,
           OutcomeSink& sink);
  // Ends every stream and waits until gRPC has let go of them.
  ~CoreLink();

  // The replicas that there are now, as gRPC addresses ("ipv4:192.0.2.1:7000"). New ones are
  // connected; those that are gone get no new batches and are left when they owe nothing.
  void SetTargets(const std::vector<std::string>& targets);

  Dispatcher& dispatcher() { return dispatcher_; }

  // Whether a replica refuses us for want of a good key. It is asked again each second, and gets
  // pushes when it accepts.
  bool refused() const;
  // A channel to a replica that is connected and not draining, each time another one; not `except`
  // while there is any other. nullptr: there is none. To be dropped on the loop's thread.
  std::shared_ptr<grpc::Channel> NextChannel(const grpc::Channel* except);

  // Connects what is not connected and lets the dispatcher work. Returns when it wants to be called
  // again at the latest.
  absl::Duration OnTurn(absl::Duration now);

 private:
  class Replica;

  const std::string core_key_;
  http::EventLoop& loop_;
  CallCounter calls_;
  Dispatcher dispatcher_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  size_t next_channel_ = 0;
  std::vector<std::unique_ptr<Replica>> leaving_;  // not wanted any more, but owing answers
};

}  // namespace tocsin::gateway
