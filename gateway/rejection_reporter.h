// Tells core of the pushes that one io thread refused.
#pragma once

#include "absl/time/time.h"
#include "gateway/core_link/core_link.h"
#include "gateway/http/event_loop.h"
#include "gateway/rejections.h"

namespace tocsin::gateway {

// Loop thread only; the destructor may run on any thread once the loop's thread has ended. A report
// that cannot be sent is dropped, and never tried again: it would be counted twice, and an older
// core does not know the call.
class RejectionReporter {
 public:
  // `core_key` as for CoreLink. `loop` and `core` must outlive it.
  RejectionReporter(std::string core_key, http::EventLoop& loop, CoreLink& core)
      : core_key_(std::move(core_key)), loop_(loop), core_(core) {}
  ~RejectionReporter() { calls_.AwaitNone(); }

  void Note(const Rejection& rejection, absl::Duration now) { rejections_.Note(rejection, now); }
  // Sends what is due. Returns when it wants to be called again at the latest.
  absl::Duration OnTurn(absl::Duration now);

 private:
  const std::string core_key_;
  http::EventLoop& loop_;
  CoreLink& core_;
  Rejections rejections_;
  CallCounter calls_;
};

}  // namespace tocsin::gateway
