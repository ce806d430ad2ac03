// The fake core's gRPC service.
#include "gateway/testing/fake_core.h"

#include <deque>
#include <utility>

#include "common/sha256.h"

namespace tocsin::testing {

using internal::v1::PushOutcome;
using internal::v1::PushStreamRequest;
using internal::v1::PushStreamResponse;

// One gateway's stream. Deletes itself.
class FakeCore::Stream : public grpc::ServerBidiReactor<PushStreamRequest, PushStreamResponse> {
 public:
  explicit Stream(FakeCore& core) : core_(core) {
    core_.Register(this);
    StartSendInitialMetadata();
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return End(grpc::Status::OK);
    core_.Record(request_);
    PushStreamResponse response;
    if (core_.Answer(request_, response)) {
      Write(std::move(response));
    } else {
      absl::MutexLock lock(&mutex_);
      kept_.push_back(request_);
    }
    StartRead(&request_);
  }

  void OnWriteDone(bool) override {
    {
      absl::MutexLock lock(&mutex_);
      writing_ = false;
    }
    WriteNext();
  }

  void OnDone() override {
    core_.Unregister(this);
    delete this;
  }

  // Answers what was kept.
  void Release() {
    std::vector<PushStreamRequest> kept;
    {
      absl::MutexLock lock(&mutex_);
      kept.swap(kept_);
    }
    for (const PushStreamRequest& request : kept) {
      PushStreamResponse response;
      if (core_.Answer(request, response)) Write(std::move(response));
    }
  }

  // Finishes once everything is written.
  void End(const grpc::Status& status) {
    {
      absl::MutexLock lock(&mutex_);
      if (ending_) return;
      ending_ = true;
      status_ = status;
    }
    WriteNext();
  }

 private:
  void Write(PushStreamResponse response) {
    {
      absl::MutexLock lock(&mutex_);
      queue_.push_back(std::move(response));
    }
    WriteNext();
  }

  void WriteNext() {
    bool finish = false;
    {
      absl::MutexLock lock(&mutex_);
      if (writing_ || finished_) return;
      if (queue_.empty()) {
        if (!ending_) return;
        finish = finished_ = true;
      } else {
        response_ = std::move(queue_.front());
        queue_.pop_front();
        writing_ = true;
      }
    }
    if (finish) {
      Finish(status_);
    } else {
      StartWrite(&response_);
    }
  }

  FakeCore& core_;
  PushStreamRequest request_;
  PushStreamResponse response_;
  absl::Mutex mutex_;
  bool writing_ = false;  // guarded by mutex_, as all below
  bool ending_ = false;
  bool finished_ = false;
  grpc::Status status_;
  std::deque<PushStreamResponse> queue_;
  std::vector<PushStreamRequest> kept_;
};

// As a core that knows no such key.
class Refused : public grpc::ServerBidiReactor<PushStreamRequest, PushStreamResponse> {
 public:
  Refused() { Finish(grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "the key is unknown")); }
  void OnDone() override { delete this; }
};

class FakeCore::Service : public internal::v1::PushService::CallbackService {
 public:
  explicit Service(FakeCore& core) : core_(core) {}
  grpc::ServerBidiReactor<PushStreamRequest, PushStreamResponse>* PushStream(
      grpc::CallbackServerContext* context) override {
    std::string key;
    {
      absl::MutexLock lock(&core_.mutex_);
      key = core_.key_;
    }
    const auto sent = context->client_metadata().find("authorization");
    const bool good = sent != context->client_metadata().end() && sent->second == "Bearer " + key;
    if (!key.empty() && !good) return new Refused;
    context->AddInitialMetadata("x-tocsin-accepted", "1");
    return new Stream(core_);
  }

 private:
  FakeCore& core_;
};

FakeCore::FakeCore(int port, bool record, const std::vector<grpc::Service*>& more)
    : record_(record), service_(std::make_unique<Service>(*this)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(),
                           &port_);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterService(service_.get());
  for (grpc::Service* service : more) builder.RegisterService(service);
  server_ = builder.BuildAndStart();
}

FakeCore::~FakeCore() { Stop(); }

void FakeCore::RequireKey(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  key_ = key;
}

void FakeCore::Stop() {
  if (!server_) return;
  BreakStreams();
  server_->Shutdown(gpr_inf_past(GPR_CLOCK_MONOTONIC));
  server_->Wait();
  server_.reset();
}

void FakeCore::Allow(const std::string& token, PushOutcome outcome) {
  absl::MutexLock lock(&mutex_);
  outcomes_[Sha256Bytes(token)] = outcome;
}

void FakeCore::AllowKey(const std::string& key, const std::string& monitor_id,
                        PushOutcome outcome) {
  absl::MutexLock lock(&mutex_);
  outcomes_[Sha256Bytes(key) + monitor_id] = outcome;
}

void FakeCore::AllowAll() {
  absl::MutexLock lock(&mutex_);
  allow_all_ = true;
}

void FakeCore::SetMode(Mode mode) {
  std::set<Stream*> streams;
  {
    absl::MutexLock lock(&mutex_);
    mode_ = mode;
    streams = streams_;
  }
  // Tests do not end streams while they change the mode.
  if (mode != Mode::kHang) {
    for (Stream* stream : streams) stream->Release();
  }
}

std::vector<FakeCore::Push> FakeCore::pushes() const {
  absl::MutexLock lock(&mutex_);
  return pushes_;
}

int FakeCore::batches() const {
  absl::MutexLock lock(&mutex_);
  return batches_;
}

std::vector<std::string> FakeCore::gateways() const {
  absl::MutexLock lock(&mutex_);
  return gateways_;
}

uint64_t FakeCore::shed_micros() const {
  absl::MutexLock lock(&mutex_);
  return shed_micros_;
}

int FakeCore::streams() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<int>(streams_.size());
}

bool FakeCore::AwaitPushes(size_t n) const {
  absl::MutexLock lock(&mutex_);
  const auto there = [this, n]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return pushes_.size() >= n; };
  return mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20));
}

void FakeCore::EndStreams() {
  absl::MutexLock lock(&mutex_);
  for (Stream* stream : streams_) stream->End(grpc::Status::OK);
}

void FakeCore::BreakStreams() {
  absl::MutexLock lock(&mutex_);
  for (Stream* stream : streams_) {
    stream->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken by the test"));
  }
}

void FakeCore::Register(Stream* stream) {
  absl::MutexLock lock(&mutex_);
  streams_.insert(stream);
}

void FakeCore::Unregister(Stream* stream) {
  absl::MutexLock lock(&mutex_);
  streams_.erase(stream);
}

PushOutcome FakeCore::OutcomeOf(const Push& push) const {
  if (mode_ == Mode::kUnavailable) return internal::v1::PUSH_OUTCOME_UNAVAILABLE;
  const auto it = outcomes_.find(push.token_hash() + push.monitor_id());
  return it == outcomes_.end() ? internal::v1::PUSH_OUTCOME_UNKNOWN_TOKEN : it->second;
}

void FakeCore::Record(const PushStreamRequest& request) {
  if (!record_) return;
  absl::MutexLock lock(&mutex_);
  ++batches_;
  shed_micros_ += request.shed_micros();
  if (!request.gateway().empty()) gateways_.push_back(request.gateway());
  pushes_.insert(pushes_.end(), request.pushes().begin(), request.pushes().end());
}

bool FakeCore::Answer(const PushStreamRequest& request, PushStreamResponse& response) const {
  absl::MutexLock lock(&mutex_);
  if (mode_ == Mode::kHang) return false;
  response.set_batch_id(request.batch_id());
  if (mode_ == Mode::kAnswer && allow_all_) return true;
  bool all_recorded = true;
  for (const Push& push : request.pushes()) {
    const PushOutcome outcome = OutcomeOf(push);
    response.add_outcomes(outcome);
    all_recorded = all_recorded && outcome == internal::v1::PUSH_OUTCOME_RECORDED;
  }
  if (all_recorded) response.clear_outcomes();
  return true;
}

}  // namespace tocsin::testing
