// One stream of core's messages to one client, as server-sent events.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gateway/http/handler.h"
#include "gateway/rest/core_call.h"

namespace tocsin::gateway {

// Loop thread only. Reads on from core only while the client takes what it is sent, so that no more
// than a little is ever buffered.
class ApiStream final : public http::StreamListener,
                        public std::enable_shared_from_this<ApiStream> {
 public:
  // How it ended, for the count and the log; said once, and the stream is done then.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnStreamDone(uint64_t id, int http_status, const absl::Status& status) = 0;
  };

  ApiStream(uint64_t id, http::Responder responder, std::string request_id, absl::Duration now,
            absl::Duration patience, Owner& owner);

  // Once, right after the making.
  void SetCall(std::shared_ptr<ServerStreamCall> call) { call_ = std::move(call); }

  // From core: one event's text; the end.
  void OnMessage(const std::string& text, absl::Duration now);
  void OnEnd(const absl::Status& status);
  // From the client.
  void OnRoom() override;
  void OnGone() override;

  // Says that it is alive when nothing else was said for a while, and gives up a core that says
  // nothing at all. Returns when it wants to be called again.
  absl::Duration OnTurn(absl::Duration now);
  // The gateway stops.
  void Stop();
  void Cancel() { call_->Cancel(); }

 private:
  void Done(int http_status, const absl::Status& status);
  void EndWith(const absl::Status& status);

  const uint64_t id_;
  const http::Responder responder_;
  const std::string request_id_;
  Owner& owner_;
  std::shared_ptr<ServerStreamCall> call_;
  bool begun_ = false;
  bool done_ = false;
  bool waits_for_room_ = false;
  const absl::Duration give_up_at_;  // unless core has said something
  absl::Duration spoke_at_;
};

}  // namespace tocsin::gateway
