// The push services, on gRPC's callback API.
#include "services/core/api/push_service.h"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "common/log.h"
#include "services/core/api/push_convert.h"
#include "services/core/api/transit.h"
#include "services/core/api/unary.h"

namespace tocsin::core {
namespace {

using internal::v1::PushStreamRequest;
using internal::v1::PushStreamResponse;

// Batches of one stream that were read and whose answer was not written yet; at this many, reading
// stops until some are through.
constexpr size_t kMaxBatchesInFlight = 64;
// What was longer on its way may have been sent to another core meanwhile: the gateways do that
// after a second.
constexpr absl::Duration kLongTransit = absl::Milliseconds(800);
// A gateway that was heard less long ago need not be asked.
constexpr absl::Duration kSilent = absl::Milliseconds(10);
// A gateway gives up what waited for longer.
constexpr absl::Duration kLongestHeld = absl::Seconds(10);

// Of a push nobody asks for a key.
Caller PushCaller() {
  return {
      .actor = "anonymous", .method = "tocsin.v1.PushService/Push", .source = "", .request_id = ""};
}

}  // namespace

PushServiceHandler::PushServiceHandler(Gate& gate, PushCreator& pushes, const Clock& clock)
    : gate_(gate), pushes_(pushes), clock_(clock) {}

grpc::ServerUnaryReactor* PushServiceHandler::Push(grpc::CallbackServerContext* context,
                                                   const v1::PushRequest* request,
                                                   v1::PushResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const absl::Time now = clock_.Now();
  absl::StatusOr<PushItem> item = ToPushItem(*request, now);
  if (!item.ok()) {
    reactor->Finish(Answer(PushCaller(), item.status()));
    return reactor;
  }
  // A gateway's REST: it came over HTTP, and cannot come while no gateway is there.
  // A proxy in front of core that tells addresses is none.
  if (gate_.CameOverHttp(*context)) item->heartbeat.source = Source::kHttp;
  if (request->create()) {
    Caller caller = PushCaller();
    gate_.FillCaller(*context, caller);
    item->creation = std::make_shared<const Creation>(
        Creation{.source = caller.source, .request_id = caller.request_id});
  }
  pushes_.SubmitOne(*std::move(item), [reactor, response, now](std::vector<PushAnswer> answers) {
    absl::StatusOr<v1::PushResponse> answer = ToPushResponse(answers.at(0), now);
    if (answer.ok()) *response = *std::move(answer);
    reactor->Finish(answer.ok() ? grpc::Status::OK : Answer(PushCaller(), answer.status()));
  });
  return reactor;
}

// One gateway's stream. It owns itself until OnDone; answers under way share the ownership, so
// that a committer's thread that just let go of the lock never holds the last breath of it.
//
// Reads and writes are begun with the lock held; Finish is called without it, once, when nothing
// is owed. gRPC calls back on threads of its own, never inside StartRead or StartWrite.
class PushStreamHandler::Stream
    : public grpc::ServerBidiReactor<PushStreamRequest, PushStreamResponse>,
      public std::enable_shared_from_this<Stream> {
 public:
  Stream(PushStreamHandler& handler, Access access)
      : handler_(handler), access_(std::move(access)) {}

  const Access& access() const { return access_; }

  void Begin() {
    self_ = shared_from_this();
    handler_.guard_.GatewayConnected();
    absl::MutexLock lock(&mutex_);
    StartSendInitialMetadata();  // with kAccepted: a gateway that was refused before waits for it
    StartRead(&request_);
  }

  // Has the gateway say that it is there, unless it was asked already or has just spoken.
  void Ask() {
    const absl::Duration now = handler_.monotonic_.Now();
    absl::MutexLock lock(&mutex_);
    if (ended_ || asked_ || now - heard_ < kSilent) return;
    asked_ = true;
    PushStreamResponse question;
    question.set_speak(true);
    answers_.push_back(std::move(question));
    ++in_flight_;  // until it is written, as if it were the answer to a batch
    Proceed();     // it never is the end: something is in flight
  }

  // Answers what was read, then ends the stream with OK.
  void End() {
    bool finish;
    {
      absl::MutexLock lock(&mutex_);
      ended_ = true;
      finish = Proceed();
    }
    if (finish) Finish(grpc::Status::OK);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return End();
    {
      absl::MutexLock lock(&mutex_);
      if (finished_ || broken_) return;  // the batch stays without an answer: in doubt
      asked_ = false;
      heard_ = handler_.monotonic_.Now();
      ++in_flight_;
    }
    TakeBatch();
    absl::MutexLock lock(&mutex_);
    if (ended_) return;
    if (in_flight_ < kMaxBatchesInFlight) {
      StartRead(&request_);
    } else {
      read_waits_ = true;
    }
  }

  void OnWriteDone(bool ok) override {
    bool finish;
    {
      absl::MutexLock lock(&mutex_);
      writing_ = false;
      --in_flight_;
      answers_.pop_front();
      if (!ok) Break();
      finish = Proceed();
    }
    if (finish) Finish(grpc::Status::OK);
  }

  void OnCancel() override {
    bool finish;
    {
      absl::MutexLock lock(&mutex_);
      Break();
      finish = Proceed();
    }
    if (finish) Finish(grpc::Status::CANCELLED);
  }

  void OnDone() override {
    handler_.guard_.GatewayHolds(this, absl::InfiniteFuture());
    handler_.guard_.GatewayDisconnected();
    if (!gateway_.empty()) LogInfo("gateway_disconnected", {{"gateway", gateway_}});
    handler_.Remove(this);
    self_.reset();
  }

 private:
  void TakeBatch() {
    if (gateway_.empty() && !request_.gateway().empty()) {
      gateway_ = request_.gateway();
      LogInfo("gateway_connected", {{"gateway", gateway_}});
    }
    if (request_.shed_micros() > 0) {
      handler_.guard_.ReportShed(absl::Microseconds(static_cast<int64_t>(request_.shed_micros())));
    }
    const absl::Duration sent = absl::Microseconds(static_cast<int64_t>(request_.sent_micros()));
    // A gateway of an earlier release does not say when.
    const absl::Duration excess = request_.sent_micros() == 0
                                      ? absl::ZeroDuration()
                                      : transit_.Excess(sent, handler_.monotonic_.Now());
    // When it would have been read had it come as quickly as others.
    const absl::Time now = TruncateToMicros(handler_.clock_.Now() - excess);
    std::vector<PushItem> items;
    items.reserve(static_cast<size_t>(request_.pushes_size()));
    std::vector<int> invalid;  // positions in the batch, ascending
    for (int i = 0; i < request_.pushes_size(); ++i) {
      std::optional<PushItem> item = ToPushItem(request_.pushes(i), now);
      if (item) {
        item->retried |= excess > kLongTransit;
        items.push_back(*std::move(item));
      } else {
        invalid.push_back(i);
      }
    }
    const uint64_t id = request_.batch_id();
    if (items.empty()) {
      NoteAlive(now);
      return Answer(id, invalid, {});
    }
    handler_.pushes_.Submit(
        std::move(items),
        [self = shared_from_this(), id, invalid = std::move(invalid)](
            std::vector<PushAnswer> answers) { self->Answer(id, invalid, answers); });
    // Last, so that a touch which tells of it comes after these pushes.
    NoteAlive(now);
  }

  void NoteAlive(absl::Time now) {
    const absl::Duration held =
        std::min(absl::Microseconds(static_cast<int64_t>(request_.held_micros())), kLongestHeld);
    handler_.guard_.GatewayHolds(this,
                                 held > absl::ZeroDuration() ? now - held : absl::InfiniteFuture());
    handler_.guard_.GatewayHeard(now);
  }

  void Answer(uint64_t batch_id, const std::vector<int>& invalid,
              const std::vector<PushAnswer>& answers) {
    PushStreamResponse response;
    response.set_batch_id(batch_id);
    bool all_recorded = invalid.empty();
    for (const PushAnswer& answer : answers) {
      if (answer.result != PushResult::kRecorded) all_recorded = false;
    }
    if (!all_recorded) {
      auto next_invalid = invalid.begin();
      const auto add_invalid = [&] {
        while (next_invalid != invalid.end() && *next_invalid == response.outcomes_size()) {
          response.add_outcomes(internal::v1::PUSH_OUTCOME_INVALID);
          ++next_invalid;
        }
      };
      add_invalid();
      for (const PushAnswer& answer : answers) {
        response.add_outcomes(ToOutcome(answer.result));
        add_invalid();
      }
    }
    bool finish;
    {
      absl::MutexLock lock(&mutex_);
      if (broken_) {
        --in_flight_;
      } else {
        answers_.push_back(std::move(response));
      }
      finish = Proceed();
    }
    if (finish) Finish(grpc::Status::OK);
  }

  // Nothing that is written arrives any more.
  void Break() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ended_ = broken_ = true;
    const size_t kept = writing_ ? 1 : 0;  // the one that is being written comes to OnWriteDone
    in_flight_ -= answers_.size() - kept;
    answers_.resize(kept);
  }

  // Writes the next answer, reads on; true when all is done and Finish must be called.
  bool Proceed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (finished_) return false;
    if (!writing_ && !answers_.empty()) {
      writing_ = true;
      StartWrite(&answers_.front());
    }
    if (read_waits_ && !ended_ && in_flight_ < kMaxBatchesInFlight) {
      read_waits_ = false;
      StartRead(&request_);
    }
    finished_ = ended_ && in_flight_ == 0;
    return finished_;
  }

  PushStreamHandler& handler_;
  const Access access_;
  std::shared_ptr<Stream> self_;
  PushStreamRequest request_;  // between OnReadDone and the next StartRead
  std::string gateway_;
  Transit transit_;
  absl::Mutex mutex_;
  std::deque<PushStreamResponse> answers_ ABSL_GUARDED_BY(mutex_);  // the first may be in writing
  size_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Duration heard_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();  // the last batch
  bool asked_ ABSL_GUARDED_BY(mutex_) = false;                                // since then
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool read_waits_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;   // no further batch is read
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;  // answers go nowhere
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

// A stream that ends before it began.
class PushStreamHandler::Refused final
    : public grpc::ServerBidiReactor<PushStreamRequest, PushStreamResponse> {
 public:
  explicit Refused(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

PushStreamHandler::PushStreamHandler(Gate& gate, PushCreator& pushes, OutageGuard& guard,
                                     const Clock& clock, const MonotonicClock& monotonic)
    : gate_(gate), pushes_(pushes), guard_(guard), clock_(clock), monotonic_(monotonic) {}

PushStreamHandler::~PushStreamHandler() = default;

grpc::ServerBidiReactor<PushStreamRequest, PushStreamResponse>* PushStreamHandler::PushStream(
    grpc::CallbackServerContext* context) {
  Access access;
  const absl::Status admitted =
      gate_.Admit(*context, *PushStreamRequest::descriptor(), nullptr, access);
  if (!admitted.ok()) return new Refused(Answer(access.caller, admitted));
  context->AddInitialMetadata(kAccepted, "1");
  const auto stream = std::make_shared<Stream>(*this, std::move(access));
  absl::MutexLock lock(&mutex_);
  streams_.insert(stream.get());
  stream->Begin();
  if (draining_) stream->End();
  return stream.get();
}

void PushStreamHandler::Ask() {
  absl::MutexLock lock(&mutex_);
  for (Stream* const stream : streams_) stream->Ask();
}

void PushStreamHandler::Recheck() {
  std::vector<std::shared_ptr<Stream>> streams;
  {
    absl::MutexLock lock(&mutex_);
    for (Stream* const stream : streams_) streams.push_back(stream->shared_from_this());
  }
  for (const std::shared_ptr<Stream>& stream : streams) {
    if (!gate_.Recheck(stream->access()).ok()) stream->End();
  }
}

bool PushStreamHandler::Drain(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  draining_ = true;
  for (Stream* const stream : streams_) stream->End();
  const auto none = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return streams_.empty(); };
  return mutex_.AwaitWithTimeout(absl::Condition(&none), timeout);
}

void PushStreamHandler::Remove(Stream* stream) {
  absl::MutexLock lock(&mutex_);
  streams_.erase(stream);
}

}  // namespace tocsin::core
