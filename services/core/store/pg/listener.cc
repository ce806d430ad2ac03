// Waits on the session's socket and an eventfd at once.
#include "services/core/store/pg/listener.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "common/status_macros.h"
#include "services/core/store/pg/pg_transaction.h"

namespace tocsin::core::pg {
namespace {

// How often it tries to connect while the database is away.
constexpr absl::Duration kRetryPeriod = absl::Milliseconds(250);

constexpr News kEverything = {.deliveries = true, .sweep = true, .events = true, .keys = true};

}  // namespace

Listener::Listener(const SessionOptions& options, Watchdog& watchdog, ChangeLogger& log)
    : session_(options, watchdog, log),
      watchdog_(watchdog),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_ < 0) std::abort();  // out of file descriptors before it began
}

Listener::~Listener() { ::close(wake_); }

void Listener::Stop() {
  const uint64_t one = 1;
  // Cannot fail but for a counter that is full, and then a wake-up is on its way already.
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof(one));
}

Listener::Woken Listener::WaitForInput(int socket, absl::Duration timeout) {
  pollfd poll_for[2] = {{.fd = wake_, .events = POLLIN, .revents = 0},
                        {.fd = socket, .events = POLLIN, .revents = 0}};
  const int64_t millis = std::clamp<int64_t>(
      absl::ToInt64Milliseconds(timeout + absl::Milliseconds(1) - absl::Nanoseconds(1)), 0,
      86'400'000);
  ::poll(poll_for, 2, static_cast<int>(millis));
  if (poll_for[0].revents != 0) {
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t drained = ::read(wake_, &count, sizeof(count));
    return Woken::kByStop;
  }
  return poll_for[1].revents != 0 ? Woken::kByInput : Woken::kByTime;
}

absl::StatusOr<bool> Listener::Begin() {
  if (listening_ && session_.socket() >= 0) return false;
  listening_ = false;
  RETURN_IF_ERROR(session_.Ready());
  RETURN_IF_ERROR(session_.Listen());
  listening_ = true;
  return true;
}

News Listener::Wait(absl::Duration timeout) {
  const absl::Duration end = watchdog_.Now() + timeout;
  while (true) {
    const absl::StatusOr<bool> begun = Begin();
    // Whatever was announced before it listened went unheard.
    if (begun.ok() && *begun) return kEverything;
    const absl::Duration left = end - watchdog_.Now();
    if (!begun.ok()) {
      const Woken woken = WaitForInput(-1, std::min(left, kRetryPeriod));
      if (woken == Woken::kByStop || left <= kRetryPeriod) return {};
      continue;
    }
    if (WaitForInput(session_.socket(), left) != Woken::kByInput) return {};
    const absl::StatusOr<std::vector<std::string>> payloads = session_.TakeNotifications();
    if (!payloads.ok()) {
      listening_ = false;
      return kEverything;
    }
    Announcement heard;
    for (const std::string& payload : *payloads) heard.Merge(payload);
    if (heard.deliveries || heard.sweep || heard.events || heard.keys) {
      return {.deliveries = heard.deliveries,
              .sweep = heard.sweep,
              .events = heard.events,
              .keys = heard.keys};
    }
  }
}

}  // namespace tocsin::core::pg
