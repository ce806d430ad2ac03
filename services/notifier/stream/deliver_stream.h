// One delivery stream to one core, on gRPC's callback API.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tocsin/internal/v1/delivery_service.grpc.pb.h"

namespace tocsin::notifier {

// Thread safe. May be destroyed when its listener has been told that it is down, but not on one of
// gRPC's threads: it may hold the last reference to its channel, which waits for them.
class DeliverStream final
    : public grpc::ClientBidiReactor<internal::v1::DeliverRequest, internal::v1::DeliverResponse> {
 public:
  // Called on gRPC's threads, without locks held. Calls of one stream do not overlap, but for
  // OnStreamUp, which may come together with OnAssignments.
  class Listener {
   public:
    virtual ~Listener() = default;
    // The first message has gone out: core is there. See also await_acceptance.
    virtual void OnStreamUp(uint64_t stream) = 0;
    virtual void OnAssignments(uint64_t stream, const internal::v1::DeliverResponse& response) = 0;
    // The last call, and the last use of the stream. `status` is OK when core ended the stream in
    // peace.
    virtual void OnStreamDown(uint64_t stream, const grpc::Status& status) = 0;
  };

  struct Opening {
    std::string key;  // what core knows us by; empty: nothing
    // It counts as up only when core said that it takes the stream: for a core that refused the one
    // before. An older core does not say it, and refuses nobody.
    bool await_acceptance = false;
  };
  // Opens the stream with `hello`. `stub` and `listener` must outlive it.
  static std::unique_ptr<DeliverStream> Open(uint64_t id,
                                             internal::v1::DeliveryService::StubInterface& stub,
                                             const Opening& opening,
                                             internal::v1::DeliverRequest hello,
                                             Listener& listener);

  // Queues a message; dropped when the stream is down.
  void Send(internal::v1::DeliverRequest request);
  // Ends our side after what is queued; core then ends the stream.
  void HalfClose();
  // Ends the stream at once.
  void Cancel();
  // Messages queued and not yet written.
  size_t backlog() const;

  void OnReadInitialMetadataDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  DeliverStream(uint64_t id, bool await_acceptance, Listener& listener)
      : id_(id), listener_(listener), accepted_(!await_acceptance) {}
  // Notes that one of the two has happened; whether the stream came up by that.
  bool NoteUp(bool& happened) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint64_t id_;
  Listener& listener_;
  grpc::ClientContext context_;
  internal::v1::DeliverResponse response_;
  mutable absl::Mutex mutex_;
  std::deque<internal::v1::DeliverRequest> queue_ ABSL_GUARDED_BY(mutex_);  // front: being written
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool written_ ABSL_GUARDED_BY(mutex_) = false;  // the first message
  bool accepted_ ABSL_GUARDED_BY(mutex_);         // as far as that is awaited
  bool up_ ABSL_GUARDED_BY(mutex_) = false;
  bool half_closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tocsin::notifier
