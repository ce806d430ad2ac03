// Signals write to an eventfd that stays readable.
#include "common/shutdown.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace tocsin {
namespace {

std::atomic<int> signal_fd{-1};

void Notify(int fd) {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(fd, &one, sizeof(one));
}

void OnSignal(int) {
  const int saved_errno = errno;
  if (const int fd = signal_fd.load(); fd >= 0) Notify(fd);
  errno = saved_errno;
}

void Handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(signal, &action, nullptr);
}

}  // namespace

Shutdown::Shutdown() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) {
    std::perror("fatal: eventfd");
    std::abort();
  }
  signal_fd = fd_;
  const int once = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  Handle(SIGTERM, OnSignal, once);
  Handle(SIGINT, OnSignal, once);
  Handle(SIGPIPE, SIG_IGN, 0);
}

Shutdown::~Shutdown() {
  Handle(SIGTERM, SIG_DFL, 0);
  Handle(SIGINT, SIG_DFL, 0);
  signal_fd = -1;
  close(fd_);
}

void Shutdown::Wait() const {
  while (!WaitFor(absl::Hours(1))) {
  }
}

bool Shutdown::WaitFor(absl::Duration timeout) const {
  pollfd poll_fd = {.fd = fd_, .events = POLLIN, .revents = 0};
  const int64_t millis =
      std::clamp<int64_t>(absl::ToInt64Milliseconds(timeout), 0, int64_t{24} * 3600 * 1000);
  // A signal may interrupt the wait; it has then made the descriptor readable.
  int n = poll(&poll_fd, 1, static_cast<int>(millis));
  if (n < 0 && errno == EINTR) n = poll(&poll_fd, 1, 0);
  return n > 0;
}

void Shutdown::Request() { Notify(fd_); }

}  // namespace tocsin
