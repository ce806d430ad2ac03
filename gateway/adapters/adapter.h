// Other monitors' ways to push. One adapter turns the requests of one of them into the heartbeat
// that /api/push would have made of it, and answers as that one does: core knows nothing of them.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "gateway/dialect.h"
#include "gateway/http/message.h"
#include "gateway/push_parameters.h"
#include "gateway/route.h"

namespace tocsin::gateway {

// Whose heartbeat it is.
struct PushAddress {
  std::string secret;      // a push token, or a push key together with:
  std::string monitor_id;  // empty with a push token
};

// Has no state: thread safe.
class Adapter : public Dialect {
 public:
  // Whether the request is in this monitor's form. Of two that say so the first in FindAdapter
  // counts.
  virtual bool Wants(const Target& target) const = 0;

  // What the push says, into `to` and `out`, which are empty. INVALID_ARGUMENT (answered as a bad
  // request) or UNAUTHENTICATED (there is no secret), with the text that the answer gives.
  virtual absl::Status Read(const Target& target, const http::Request& request, PushAddress& to,
                            PushParameters& out) const = 0;
};

// nullptr when the request is in no other monitor's form. Lives forever.
const Adapter* FindAdapter(const Target& target);

// One of each; what FindAdapter looks through.
const Adapter& CronitorAdapter();
const Adapter& GatusAdapter();
const Adapter& HealthchecksAdapter();
const Adapter& OpsgenieAdapter();
const Adapter& SentryAdapter();

}  // namespace tocsin::gateway
