// Looks at every timer twice a second.
#include "services/core/store/pg/watchdog.h"

#include <sys/socket.h>

namespace tocsin::core::pg {
namespace {
constexpr absl::Duration kPeriod = absl::Milliseconds(500);
}  // namespace

void Watchdog::Timer::Arm(int socket, absl::Duration until) {
  absl::MutexLock lock(&mutex_);
  socket_ = socket;
  until_ = until;
}

void Watchdog::Timer::Disarm() {
  absl::MutexLock lock(&mutex_);
  socket_ = -1;
}

void Watchdog::Timer::Check(absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  if (socket_ < 0 || now < until_) return;
  ::shutdown(socket_, SHUT_RDWR);
  socket_ = -1;
}

Watchdog::Watchdog(const MonotonicClock& clock) : clock_(clock), thread_([this] { Run(); }) {}

Watchdog::~Watchdog() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

Watchdog::Timer& Watchdog::AddTimer() {
  absl::MutexLock lock(&mutex_);
  return timers_.emplace_back();
}

void Watchdog::Run() {
  absl::MutexLock lock(&mutex_);
  while (!mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kPeriod)) {
    for (Timer& timer : timers_) timer.Check(clock_.Now());
  }
}

}  // namespace tocsin::core::pg
