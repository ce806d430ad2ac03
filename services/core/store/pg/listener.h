// Hears what other sessions announce, and waits for it.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/core/store/pg/session.h"
#include "services/core/store/records.h"

namespace tocsin::core::pg {

class Listener {
 public:
  Listener(const SessionOptions& options, Watchdog& watchdog, ChangeLogger& log);
  ~Listener();

  // See Store::WaitForNews and StopWaiting. Wait has one caller; Stop may be called by any thread.
  News Wait(absl::Duration timeout);
  void Stop();

 private:
  // Connects and listens when it does not; tells whether it just began to.
  absl::StatusOr<bool> Begin();
  enum class Woken { kByInput, kByStop, kByTime };
  // Waits for the socket (none: -1), Stop, or the time to pass.
  Woken WaitForInput(int socket, absl::Duration timeout);

  Session session_;
  Watchdog& watchdog_;
  bool listening_ = false;
  int wake_ = -1;  // an eventfd
};

}  // namespace tocsin::core::pg
