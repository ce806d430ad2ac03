// What serves the requests of one io thread, and the means by which it answers.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/time/time.h"
#include "gateway/http/message.h"

namespace tocsin::http {

class Worker;

// Hears of a response that is streamed. Io thread only.
class StreamListener {
 public:
  virtual ~StreamListener() = default;
  // What was written has been taken, so there is room for more.
  virtual void OnRoom() = 0;
  // The client has gone before the end, or did not take what was written in time. The last call.
  virtual void OnGone() = 0;
};

// Answers one request, once, now or later. A small value that may be copied and kept; answering
// after the client has gone (or a second time) does nothing. Io thread only, and not after the
// server was destroyed. Responses leave in the order of their requests.
class Responder {
 public:
  Responder() = default;

  // `response` is not copied: it must outlive the server.
  void Send(const CannedResponse& response) const;
  void Send(const Response& response) const;

  // Instead of Send: a response whose body comes in pieces, for as long as it takes. The body of
  // `head` is not sent. False when nothing more is wanted: the client has gone, was answered
  // before, or asked with HEAD; `listener` hears nothing then.
  bool Begin(const Response& head, std::weak_ptr<StreamListener> listener) const;
  // Appends to the body; a piece leaves at the end of the turn. Nothing that was written is
  // dropped: who writes looks at Pending, and waits for OnRoom.
  void Write(std::string_view piece) const;
  // Bytes that the kernel has not taken yet.
  size_t Pending() const;
  // The body is complete.
  void End() const;
  // The body will never be complete: what was written is sent, and the connection ends in a way
  // that no client takes for the end of the body.
  void Break() const;

 private:
  friend class Worker;
  Responder(Worker* worker, uint32_t connection, uint32_t generation, uint32_t slot)
      : worker_(worker), connection_(connection), generation_(generation), slot_(slot) {}

  Worker* worker_ = nullptr;
  uint32_t connection_ = 0;
  uint32_t generation_ = 0;
  uint32_t slot_ = 0;
};

// One per io thread; every call comes on that thread (the destructor: after the thread ended).
class Handler {
 public:
  virtual ~Handler() = default;

  virtual void OnRequest(const Request& request, Responder responder) = 0;

  // The body of a refusal by the server itself (malformed request, limit, timeout, too many
  // connections). The server closes the connection after it.
  virtual Response OnRefusal(int status, std::string_view reason) = 0;

  // Before the refusal of a request whose head is there, and whose body is over the limit. It has
  // no body.
  virtual void OnBodyTooLarge(const Request& /*request*/) {}

  // The end of each turn, before responses are written: what the turn's requests have in common
  // is done here. Returns when it wants another turn at the latest.
  virtual absl::Duration OnTurn(absl::Duration /*now*/) { return absl::InfiniteDuration(); }
};

}  // namespace tocsin::http
