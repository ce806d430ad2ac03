// From the first message to the end of one side.
#include "gateway/rest/api_stream.h"

#include <utility>

#include "common/status_details.h"
#include "gateway/rest/event_text.h"
#include "gateway/rest/problem.h"

namespace tocsin::gateway {
namespace {

constexpr absl::Duration kKeepAlive = absl::Seconds(15);
// What a client has not taken; beyond it nothing is read from core.
constexpr size_t kMaxPending = 64 * 1024;

}  // namespace

ApiStream::ApiStream(uint64_t id, http::Responder responder, std::string request_id,
                     absl::Duration now, absl::Duration patience, Owner& owner)
    : id_(id),
      responder_(responder),
      request_id_(std::move(request_id)),
      owner_(owner),
      give_up_at_(now + patience),
      spoke_at_(now) {}

void ApiStream::OnMessage(const std::string& text, absl::Duration now) {
  if (done_) return;
  if (!begun_) {
    const http::Response head{.content_type = "text/event-stream",
                              .headers = {{"Cache-Control", "no-store"},
                                          {"X-Accel-Buffering", "no"},  // nginx would hold it back
                                          {"X-Request-Id", request_id_}}};
    begun_ = true;
    if (!responder_.Begin(head, weak_from_this())) {
      call_->Cancel();
      return Done(200, absl::OkStatus());
    }
    responder_.Write(EventStreamStart());
  }
  responder_.Write(text);
  spoke_at_ = now;
  waits_for_room_ = responder_.Pending() > kMaxPending;
  if (!waits_for_room_) call_->ReadOn();
}

void ApiStream::OnRoom() {
  if (!std::exchange(waits_for_room_, false)) return;
  call_->ReadOn();
}

void ApiStream::OnGone() {
  if (done_) return;
  call_->Cancel();
  Done(200, absl::OkStatus());
}

void ApiStream::OnEnd(const absl::Status& status) {
  if (done_) return;
  EndWith(status);
}

void ApiStream::EndWith(const absl::Status& status) {
  if (!begun_) {
    const absl::Status why = status.ok() ? absl::UnavailableError("it ended at once") : status;
    responder_.Send(ProblemAnswer(why, request_id_));
    return Done(HttpStatusOf(why.code()), why);
  }
  if (!status.ok()) responder_.Write(ErrorEvent(ProblemJson(status, request_id_)));
  responder_.End();
  Done(200, status);
}

absl::Duration ApiStream::OnTurn(absl::Duration now) {
  if (!begun_) {
    if (now < give_up_at_) return give_up_at_;
    call_->Cancel();
    EndWith(absl::DeadlineExceededError("core said nothing"));
    return absl::InfiniteDuration();
  }
  if (now - spoke_at_ >= kKeepAlive) {
    // To a client that does not even take what there is, nothing more is sent.
    if (responder_.Pending() == 0) responder_.Write(KeepAlive());
    spoke_at_ = now;
  }
  return spoke_at_ + kKeepAlive;
}

void ApiStream::Stop() {
  if (done_) return;
  call_->Cancel();
  if (begun_) return EndWith(absl::OkStatus());
  absl::Status status = absl::UnavailableError("This gateway stops; try again.");
  SetReason(status, "GATEWAY_STOPPING");
  SetRetryDelay(status, absl::Seconds(1));
  EndWith(status);
}

void ApiStream::Done(int http_status, const absl::Status& status) {
  done_ = true;
  owner_.OnStreamDone(id_, http_status, status);
}

}  // namespace tocsin::gateway
