// In whose words a push is answered: each monitor that Tocsin can stand in for has its own.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/time/time.h"
#include "gateway/http/message.h"

namespace tocsin::gateway {

// What became of a push, as far as its answer tells.
enum class PushVerdict : uint8_t {
  kRecorded,
  kPaused,   // recorded, but nothing is watched
  kCreated,  // recorded, and the monitor was made for it
  kUnknown,  // no monitor has this token, or the push key has no such monitor
  kMayNotCreate,
  kBadRequest,
  kNoSecret,  // neither a push token nor a push key
  kWrongMethod,
  kTooOften,
  kTryLater,
};

// Whether the heartbeat counts.
inline bool IsRecorded(PushVerdict verdict) { return verdict <= PushVerdict::kCreated; }

struct PushReply {
  PushVerdict verdict = PushVerdict::kRecorded;
  // Of one that is recorded: a warning, or nothing. Else what is wrong, for people.
  std::string_view text{};
  std::string_view request_id{};  // fit to be repeated; empty: is not told
  absl::Duration retry_after{};   // of kTooOften and kTryLater
  absl::Duration took{};          // since the push was received
};

// Has no state: thread safe.
class Dialect {
 public:
  virtual ~Dialect() = default;

  // What logs call it; holds nothing that came from a client.
  virtual std::string_view route() const = 0;
  // As the header Allow has them, with OPTIONS.
  virtual std::string_view methods() const = 0;
  // No answer may come from a cache; how this one says so.
  virtual std::string_view cache_control() const { return "no-store"; }

  // Whether a request of that method is a push.
  bool Takes(std::string_view method) const;

  // The answer, whole. Whatever a retry can cure says so with Retry-After, in every dialect.
  http::Response Answer(const PushReply& reply) const;
  // 204: what browsers ask before they push from another origin. Never a heartbeat.
  http::Response Preflight() const;

 private:
  // Writes body and Content-Type into `out`, and the status where it is not the usual one.
  virtual void Say(const PushReply& reply, http::Response& out) const = 0;
};

}  // namespace tocsin::gateway
