// Logs what becomes of attempts: one line when a channel begins to fail, fails otherwise, or works
// again.
#pragma once

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "services/notifier/channel/delivery.h"
#include "services/notifier/channel/http_client.h"

namespace tocsin::notifier {

// Never logs URLs, secrets or what was said. Not thread safe.
class DeliveryLog {
 public:
  // An attempt at `delivery` ended. Returns whether a line was written.
  bool NoteAttempt(const Delivery& delivery, const HttpResult& result);
  // `delivery` can never be sent. `why` is free of secrets.
  void NoteUnusable(const Delivery& delivery, const std::string& why);

 private:
  struct Failing {
    Outcome outcome = Outcome::kOk;
    int http_status = 0;
    int64_t attempts = 0;
  };

  absl::flat_hash_map<std::string, Failing> failing_;  // by channel
};

}  // namespace tocsin::notifier
