// Ends statements that the server does not answer: a frozen server answers no timeout of its own.
#pragma once

#include <list>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"

namespace tocsin::core::pg {

// Thread-safe. One thread, which looks twice a second.
class Watchdog {
 public:
  // Guards the socket of one session. Arm and Disarm around every statement; the watchdog shuts
  // the socket down when the time has passed, so that the blocked call fails.
  class Timer {
   public:
    void Arm(int socket, absl::Duration until);
    void Disarm();

   private:
    friend class Watchdog;
    void Check(absl::Duration now);

    absl::Mutex mutex_;
    int socket_ ABSL_GUARDED_BY(mutex_) = -1;
    absl::Duration until_ ABSL_GUARDED_BY(mutex_);
  };

  explicit Watchdog(const MonotonicClock& clock);
  ~Watchdog();

  // The timer lives as long as the watchdog.
  Timer& AddTimer();
  absl::Duration Now() const { return clock_.Now(); }

 private:
  void Run();

  const MonotonicClock& clock_;
  absl::Mutex mutex_;
  std::list<Timer> timers_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tocsin::core::pg
