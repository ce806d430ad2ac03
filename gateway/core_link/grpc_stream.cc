// The stream's writes, reads and end.
#include "gateway/core_link/grpc_stream.h"

#include <utility>

namespace tocsin::gateway {
namespace {

// Of core, see Gate.
constexpr char kAccepted[] = "x-tocsin-accepted";
constexpr size_t kMaxSpare = 4;
constexpr int kMaxSpareBytes = 256 * 1024;  // of a batch on the wire

}  // namespace

void CallCounter::Add() {
  absl::MutexLock lock(&mutex_);
  ++calls_;
}

void CallCounter::Done() {
  absl::MutexLock lock(&mutex_);
  --calls_;
}

void CallCounter::AwaitNone() {
  absl::MutexLock lock(&mutex_);
  const auto none = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return calls_ == 0; };
  mutex_.Await(absl::Condition(&none));
}

GrpcStream::GrpcStream(http::EventLoop& loop, CallCounter& calls, std::weak_ptr<Listener> listener)
    : loop_(loop), calls_(calls), listener_(std::move(listener)) {}

std::shared_ptr<GrpcStream> GrpcStream::Start(internal::v1::PushService::Stub& stub,
                                              const std::string& key, http::EventLoop& loop,
                                              CallCounter& calls,
                                              std::weak_ptr<Listener> listener) {
  std::shared_ptr<GrpcStream> stream(new GrpcStream(loop, calls, std::move(listener)));
  stream->self_ = stream;
  stream->context_.set_wait_for_ready(true);
  if (!key.empty()) stream->context_.AddMetadata("authorization", "Bearer " + key);
  calls.Add();
  stub.async()->PushStream(&stream->context_, stream.get());
  // Send() writes from outside of callbacks: see LetGo.
  stream->AddHold();
  stream->response_ = std::make_unique<internal::v1::PushStreamResponse>();
  stream->StartRead(stream->response_.get());
  stream->StartCall();
  return stream;
}

std::unique_ptr<GrpcStream::Request> GrpcStream::NewRequest() {
  absl::MutexLock lock(&mutex_);
  if (spare_.empty()) return std::make_unique<Request>();
  std::unique_ptr<Request> request = std::move(spare_.back());
  spare_.pop_back();
  return request;
}

void GrpcStream::Send(std::unique_ptr<Request> request) {
  {
    absl::MutexLock lock(&mutex_);
    if (ended_) return;  // its pushes are sent elsewhere when the end is heard of
    queue_.push_back(std::move(request));
  }
  WriteNext();
}

void GrpcStream::HalfClose() {
  {
    absl::MutexLock lock(&mutex_);
    half_close_ = true;
  }
  WriteNext();
}

void GrpcStream::WriteNext() {
  const Request* request = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    if (ended_ || writing_) return;
    if (queue_.empty()) {
      if (!half_close_) return;
    } else {
      current_ = std::move(queue_.front());
      queue_.pop_front();
      request = current_.get();
    }
    writing_ = true;
    ++starting_;
  }
  if (request == nullptr) {
    StartWritesDone();
  } else {
    StartWrite(request);
  }
  LetGo(1);
}

void GrpcStream::LetGo(int started) {
  {
    absl::MutexLock lock(&mutex_);
    starting_ -= started;
    if (!ended_ || starting_ > 0 || !held_) return;
    held_ = false;
  }
  RemoveHold();
}

void GrpcStream::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    // Memory of everyday size is kept, that of a burst is not.
    if (current_->GetCachedSize() <= kMaxSpareBytes && spare_.size() < kMaxSpare) {
      current_->Clear();
      spare_.push_back(std::move(current_));
    }
    current_.reset();
    // The failed read that follows says that the stream has ended.
    if (!ok) return;
  }
  WriteNext();
}

void GrpcStream::OnWritesDoneDone(bool) {}

void GrpcStream::OnReadInitialMetadataDone(bool ok) {
  // Without it, what ends the stream comes as initial metadata too.
  if (!ok || context_.GetServerInitialMetadata().count(kAccepted) == 0) return;
  loop_.Post([listener = listener_] {
    if (const auto l = listener.lock()) l->OnAccepted();
  });
}

void GrpcStream::OnReadDone(bool ok) {
  if (!ok) {
    {
      absl::MutexLock lock(&mutex_);
      ended_ = true;
      queue_.clear();
    }
    return LetGo(0);
  }
  loop_.Post([listener = listener_, answer = std::move(response_)] {
    if (const auto l = listener.lock()) l->OnAnswer(*answer);
  });
  response_ = std::make_unique<internal::v1::PushStreamResponse>();
  StartRead(response_.get());
}

void GrpcStream::OnDone(const grpc::Status& status) {
  CallCounter& calls = calls_;
  // The stream may hold the last reference to its channel, and gRPC's threads must not be the ones
  // to drop it: the end of the last channel joins them.
  loop_.Post([self = std::move(self_), listener = listener_, status] {
    if (const auto l = listener.lock()) l->OnEnd(status);
  });
  calls.Done();
}

}  // namespace tocsin::gateway
