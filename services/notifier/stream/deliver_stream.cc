// One delivery stream to one core, on gRPC's callback API.
#include "services/notifier/stream/deliver_stream.h"

#include <utility>

namespace tocsin::notifier {
namespace {

// Of core, see Gate.
constexpr char kAccepted[] = "x-tocsin-accepted";

}  // namespace

std::unique_ptr<DeliverStream> DeliverStream::Open(
    uint64_t id, internal::v1::DeliveryService::StubInterface& stub, const Opening& opening,
    internal::v1::DeliverRequest hello, Listener& listener) {
  std::unique_ptr<DeliverStream> stream(new DeliverStream(id, opening.await_acceptance, listener));
  if (!opening.key.empty()) {
    stream->context_.AddMetadata("authorization", "Bearer " + opening.key);
  }
  stub.async()->Deliver(&stream->context_, stream.get());
  // Writes come from other threads than the reactions, so OnDone waits for RemoveHold.
  stream->AddHold();
  stream->StartRead(&stream->response_);
  stream->StartCall();
  stream->Send(std::move(hello));
  return stream;
}

void DeliverStream::Send(internal::v1::DeliverRequest request) {
  absl::MutexLock lock(&mutex_);
  if (broken_ || half_closing_) return;
  queue_.push_back(std::move(request));
  WriteNext();
}

void DeliverStream::HalfClose() {
  absl::MutexLock lock(&mutex_);
  if (broken_ || half_closing_) return;
  half_closing_ = true;
  WriteNext();
}

void DeliverStream::Cancel() { context_.TryCancel(); }

size_t DeliverStream::backlog() const {
  absl::MutexLock lock(&mutex_);
  return queue_.size();
}

void DeliverStream::WriteNext() {
  if (writing_ || broken_) return;
  if (!queue_.empty()) {
    writing_ = true;
    StartWrite(&queue_.front());
  } else if (half_closing_) {
    writing_ = true;  // nothing may be written after it
    StartWritesDone();
  }
}

void DeliverStream::OnReadDone(bool ok) {
  if (ok) {
    listener_.OnAssignments(id_, response_);
    response_.Clear();
    StartRead(&response_);
    return;
  }
  {
    absl::MutexLock lock(&mutex_);
    broken_ = true;
  }
  RemoveHold();
}

bool DeliverStream::NoteUp(bool& happened) {
  happened = true;
  return written_ && accepted_ && !std::exchange(up_, true);
}

void DeliverStream::OnReadInitialMetadataDone(bool ok) {
  // Without it, what ends the stream comes as initial metadata too.
  if (!ok || context_.GetServerInitialMetadata().count(kAccepted) == 0) return;
  bool came_up = false;
  {
    absl::MutexLock lock(&mutex_);
    came_up = NoteUp(accepted_);
  }
  if (came_up) listener_.OnStreamUp(id_);
}

void DeliverStream::OnWriteDone(bool ok) {
  bool came_up = false;
  {
    absl::MutexLock lock(&mutex_);
    queue_.pop_front();
    writing_ = false;
    if (ok) {
      came_up = NoteUp(written_);
      WriteNext();
    }
  }
  if (came_up) listener_.OnStreamUp(id_);
}

void DeliverStream::OnDone(const grpc::Status& status) { listener_.OnStreamDown(id_, status); }

}  // namespace tocsin::notifier
