// A push between its request and its answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/sha256.h"
#include "gateway/http/handler.h"
#include "gateway/push_parameters.h"

namespace tocsin::gateway {

class Dialect;

// Used again for one push after another, so that its strings keep their memory.
struct PendingPush {
  // What core is told.
  Sha256Digest token_hash{};  // of the push token or push key
  std::string monitor_id;     // with a push key
  PushParameters parameters;
  uint64_t push_id = 0;
  absl::Duration received;  // on the loop's clock

  // What the answer needs.
  http::Responder responder;
  const Dialect* dialect = nullptr;  // in whose words
  http::IpAddress client;
  std::string request_id;    // as the client sent it; usually empty
  Sha256Digest limit_key{};  // what the rate limits count by: the token, or the key's monitor
  bool token_known = false;  // core had accepted it before
  bool lone_key = false;     // a push key, it seems, with no monitor after it
  bool creates = false;      // core said that its monitor is being made for it

  // The dispatcher's own.
  uint32_t generation = 0;  // changes when the push is done: references by older ones are void
  uint32_t attempts = 0;    // batches that it has been in
  uint64_t batch = 0;       // the batch that carries it now; 0: none
};

// What became of a push.
enum class PushResult : uint8_t {
  kRecorded,
  kRecordedPaused,
  kCreated,  // recorded, and the monitor was made for it
  kUnknownToken,
  // The monitor is missing, and the key may not make it, or not as many; or it is deleted.
  kMayNotCreate,
  kTooManyMonitors,
  kDeleted,
  kInvalid,
  kUnavailable,  // no core recorded it in time, as far as we know
};

// A reference that knows when its push is done.
struct PushRef {
  PendingPush* push;
  uint32_t generation;

  explicit PushRef(PendingPush& p) : push(&p), generation(p.generation) {}
  bool waiting() const { return push->generation == generation; }
};

// Makes and keeps pushes. Loop thread only.
class PushPool {
 public:
  PendingPush* Take() {
    if (free_.empty()) {
      all_.push_back(std::make_unique<PendingPush>());
      free_.push_back(all_.back().get());
    }
    PendingPush* const push = free_.back();
    free_.pop_back();
    return push;
  }
  // Voids every reference to it.
  void Return(PendingPush* push) {
    ++push->generation;
    push->attempts = 0;
    push->batch = 0;
    push->monitor_id.clear();
    push->creates = false;
    // The memory of a rare long message is not kept for the usual short ones.
    constexpr size_t kKeptBytes = 256;
    for (std::string* text : {&push->parameters.message, &push->parameters.output}) {
      if (text->capacity() > kKeptBytes) std::string().swap(*text);
    }
    free_.push_back(push);
  }

 private:
  std::vector<std::unique_ptr<PendingPush>> all_;
  std::vector<PendingPush*> free_;
};

}  // namespace tocsin::gateway
