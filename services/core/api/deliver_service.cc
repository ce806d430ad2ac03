// The notifiers' stream, on gRPC's callback API.
#include "services/core/api/deliver_service.h"

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "common/grpc_status.h"
#include "common/log.h"
#include "services/core/api/deliver_convert.h"
#include "services/core/api/unary.h"
#include "services/core/domain/errors.h"

namespace tocsin::core {
namespace {

using internal::v1::DeliverRequest;
using internal::v1::DeliverResponse;

// A response is sent off when it reaches this, far below the limit of a gRPC message.
constexpr size_t kResponseBytes = 512 * 1024;

}  // namespace

// One notifier's stream. The handler owns it until OnDone. Reads and writes are begun with the
// lock held, Finish without it: once, when it is detached from the queue and all is written. gRPC
// calls back on threads of its own, never inside StartRead or StartWrite.
class DeliverHandler::Stream : public grpc::ServerBidiReactor<DeliverRequest, DeliverResponse>,
                               public std::enable_shared_from_this<Stream> {
 public:
  Stream(DeliverHandler& handler, Access access) : handler_(handler), access_(std::move(access)) {}

  const Access& access() const { return access_; }

  void Begin() {
    absl::MutexLock lock(&mutex_);
    StartSendInitialMetadata();  // with kAccepted: a notifier that was refused before waits for it
    StartRead(&request_);
  }

  // Takes no more deliveries and ends the stream when those that it has are written.
  void End(const grpc::Status& status, bool broken) {
    const std::shared_ptr<Stream> self = shared_from_this();
    std::optional<DeliveryQueue::StreamId> attached;
    {
      absl::MutexLock lock(&mutex_);
      if (broken) Break();
      if (!ended_) {
        ended_ = true;
        status_ = status;
        // While Attach is under way, its caller detaches.
        detached_ = !attaching_ && !attached_;
        if (!attaching_) attached = std::exchange(attached_, std::nullopt);
      }
    }
    if (attached) Detach(*attached);
    Proceed();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return End(grpc::Status::OK, false);
    if (!greeted_) {
      greeted_ = true;
      if (!Attach()) return;
    }
    std::vector<DeliveryReport> reports;
    for (const internal::v1::DeliveryReport& from : request_.reports()) {
      std::optional<DeliveryReport> report = ToDeliveryReport(from);
      if (report) reports.push_back(*std::move(report));
    }
    if (!reports.empty() && !handler_.queue_.Report(std::move(reports))) {
      return End(ToGrpcStatus(TryAgain("too many reports are waiting")), false);
    }
    absl::MutexLock lock(&mutex_);
    if (ended_) return;
    // Not after Detach: that comes after ended_, and the lock is held.
    if (request_.credits() > 0) handler_.queue_.GrantCredits(*attached_, request_.credits());
    StartRead(&request_);
  }

  void OnWriteDone(bool ok) override {
    {
      absl::MutexLock lock(&mutex_);
      writing_ = false;
      responses_.pop_front();
    }
    if (!ok) return End(grpc::Status::CANCELLED, true);
    Proceed();
  }

  void OnCancel() override { End(grpc::Status::CANCELLED, true); }

  void OnDone() override {
    if (greeted_) LogInfo("notifier_disconnected", {{"notifier", notifier_}});
    handler_.Remove(shared_from_this());
  }

 private:
  // False: the stream ended meanwhile.
  bool Attach() {
    notifier_ = request_.notifier();
    LogInfo("notifier_connected", {{"notifier", notifier_}});
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return false;
      attaching_ = true;
    }
    const DeliveryQueue::StreamId id = handler_.queue_.Attach(
        notifier_, [this](std::vector<LeasedDelivery> leased) { Assign(leased); });
    bool ended;
    {
      absl::MutexLock lock(&mutex_);
      attaching_ = false;
      ended = ended_;
      if (!ended) attached_ = id;
    }
    if (!ended) return true;
    Detach(id);
    Proceed();
    return false;
  }

  // Waits for an Assign that is under way, so the lock is not held.
  void Detach(DeliveryQueue::StreamId id) {
    handler_.queue_.Detach(id);
    absl::MutexLock lock(&mutex_);
    detached_ = true;
  }

  void Assign(const std::vector<LeasedDelivery>& leased) {
    const absl::Time now = handler_.clock_.Now();
    std::vector<DeliverResponse> responses(1);
    size_t bytes = 0;
    for (const LeasedDelivery& delivery : leased) {
      internal::v1::Assignment assignment = ToAssignment(delivery, now, handler_.public_url_);
      const size_t size = assignment.ByteSizeLong();
      if (bytes > 0 && bytes + size > kResponseBytes) {
        responses.emplace_back();
        bytes = 0;
      }
      bytes += size;
      *responses.back().add_assignments() = std::move(assignment);
    }
    absl::MutexLock lock(&mutex_);
    if (broken_ || finished_) return;
    for (DeliverResponse& response : responses) responses_.push_back(std::move(response));
    WriteNext();
  }

  // Nothing that is written arrives any more.
  void Break() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    broken_ = true;
    responses_.resize(writing_ ? 1 : 0);  // the one that is being written comes to OnWriteDone
  }

  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || responses_.empty()) return;
    writing_ = true;
    StartWrite(&responses_.front());
  }

  // Writes the next response, or finishes when all is done.
  void Proceed() {
    const std::shared_ptr<Stream> self = shared_from_this();
    grpc::Status status;
    {
      absl::MutexLock lock(&mutex_);
      if (finished_) return;
      WriteNext();
      finished_ = ended_ && detached_ && responses_.empty();
      if (!finished_) return;
      status = status_;
    }
    Finish(status);
  }

  DeliverHandler& handler_;
  const Access access_;
  DeliverRequest request_;  // between OnReadDone and the next StartRead
  bool greeted_ = false;    // the first message was read
  std::string notifier_;
  absl::Mutex mutex_;
  std::deque<DeliverResponse> responses_ ABSL_GUARDED_BY(mutex_);  // the first may be in writing
  std::optional<DeliveryQueue::StreamId> attached_ ABSL_GUARDED_BY(mutex_);
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  bool attaching_ ABSL_GUARDED_BY(mutex_) = false;
  bool detached_ ABSL_GUARDED_BY(mutex_) = false;  // for good: no Assign comes any more
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

// A stream that ends before it began.
class DeliverHandler::Refused final
    : public grpc::ServerBidiReactor<DeliverRequest, DeliverResponse> {
 public:
  explicit Refused(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

DeliverHandler::DeliverHandler(Gate& gate, DeliveryQueue& queue, const Clock& clock,
                               std::string public_url)
    : gate_(gate), queue_(queue), clock_(clock), public_url_(std::move(public_url)) {}

DeliverHandler::~DeliverHandler() = default;

grpc::ServerBidiReactor<DeliverRequest, DeliverResponse>* DeliverHandler::Deliver(
    grpc::CallbackServerContext* context) {
  Access access;
  const absl::Status admitted =
      gate_.Admit(*context, *DeliverRequest::descriptor(), nullptr, access);
  if (!admitted.ok()) return new Refused(Answer(access.caller, admitted));
  context->AddInitialMetadata(kAccepted, "1");
  const auto stream = std::make_shared<Stream>(*this, std::move(access));
  bool stopping;
  {
    absl::MutexLock lock(&mutex_);
    streams_.insert(stream);
    stopping = stopping_;
  }
  stream->Begin();
  if (stopping) stream->End(grpc::Status::OK, false);
  return stream.get();
}

void DeliverHandler::Recheck() {
  std::set<std::shared_ptr<Stream>> streams;
  {
    absl::MutexLock lock(&mutex_);
    streams = streams_;
  }
  for (const std::shared_ptr<Stream>& stream : streams) {
    const absl::Status status = gate_.Recheck(stream->access());
    if (!status.ok()) stream->End(ToGrpcStatus(status), false);
  }
}

bool DeliverHandler::Stop(absl::Duration timeout) {
  std::set<std::shared_ptr<Stream>> streams;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    streams = streams_;
  }
  for (const std::shared_ptr<Stream>& stream : streams) stream->End(grpc::Status::OK, false);
  const auto none = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return streams_.empty(); };
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&none), timeout);
}

void DeliverHandler::Remove(const std::shared_ptr<Stream>& stream) {
  absl::MutexLock lock(&mutex_);
  streams_.erase(stream);
}

}  // namespace tocsin::core
