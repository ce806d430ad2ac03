// What serves the requests of one io thread, and the means by which it answers.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/time/time.h"
#include "gateway/http/message.h"

namespace tocsin::http {

class Worker;

// Answers one request, once, now or later. A small value that may be copied and kept; answering
// after the client has gone (or a second time) does nothing. Io thread only, and not after the
// server was destroyed. Responses leave in the order of their requests.
class Responder {
 public:
  Responder() = default;

  // `response` is not copied: it must outlive the server.
  void Send(const CannedResponse& response) const;
  void Send(const Response& response) const;

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

  // The end of each turn, before responses are written: what the turn's requests have in common
  // is done here. Returns when it wants another turn at the latest.
  virtual absl::Duration OnTurn(absl::Duration /*now*/) { return absl::InfiniteDuration(); }
};

}  // namespace tocsin::http
