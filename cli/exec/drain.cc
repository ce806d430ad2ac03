// After a fork in a process that has threads: nothing but system calls.
#include "cli/exec/drain.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace tocsin::cli {
namespace {

constexpr size_t kMost = 2;  // standard output and standard error

struct Pipe {
  int from = -1;
  int to = -1;  // below 0: what comes is dropped
  bool to_terminal = false;
};
using Pipes = std::array<Pipe, kMost>;

// False when its reader has gone.
bool PassOn(const char* bytes, ssize_t size, int to) {
  if (to < 0) return true;
  for (ssize_t done = 0; done < size;) {
    const ssize_t written = write(to, bytes + done, static_cast<size_t>(size - done));
    if (written >= 0) {
      done += written;
    } else if (errno == EAGAIN) {
      pollfd room = {to, POLLOUT, 0};
      poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return errno != EPIPE && errno != ECONNRESET;
    }
  }
  return true;
}

void Drain(Pipes pipes) {
  std::array<char, 4096> block;
  while (true) {
    // Those that have ended have a descriptor below 0, which poll passes over.
    std::array<pollfd, 2 * kMost> fds = {};
    bool any = false;
    for (size_t i = 0; i < kMost; ++i) {
      fds[2 * i] = {pipes[i].from, POLLIN, 0};
      fds[2 * i + 1] = {pipes[i].from < 0 ? -1 : pipes[i].to, 0, 0};
      any = any || pipes[i].from >= 0;
    }
    if (!any) return;
    if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    for (size_t i = 0; i < kMost; ++i) {
      Pipe& pipe = pipes[i];
      if (pipe.from < 0) continue;
      bool ended = (fds[2 * i + 1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
      if (ended && pipe.to_terminal) {
        close(pipe.to);
        pipe.to = -1;
        ended = false;
      }
      if (!ended && fds[2 * i].revents != 0) {
        const ssize_t bytes = read(pipe.from, block.data(), block.size());
        if (bytes < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        ended = bytes <= 0 || !PassOn(block.data(), bytes, pipe.to);
      }
      if (!ended) continue;
      close(pipe.from);
      close(pipe.to);
      pipe.from = -1;
    }
  }
}

// Far more than tocsin exec ever has open; what it inherited may be above, and stays.
constexpr int kOwnDescriptors = 1024;

// Without the sockets and pipes of whoever forked it: others wait for their end.
void KeepOnly(const Pipes& pipes) {
  for (int fd = 0; fd < kOwnDescriptors; ++fd) {
    bool kept = false;
    for (const Pipe& pipe : pipes) {
      kept = kept || (pipe.from >= 0 && (fd == pipe.from || fd == pipe.to));
    }
    if (!kept) close(fd);
  }
}

}  // namespace

void DrainInBackground(const std::vector<Leftover>& leftovers) {
  if (leftovers.empty() || leftovers.size() > kMost) return;
  Pipes pipes;
  for (size_t i = 0; i < leftovers.size(); ++i) {
    const Leftover& leftover = leftovers[i];
    pipes[i] = {leftover.from, leftover.to, isatty(leftover.to) == 1};
  }
  // Nobody waits for it: we end right after. Without it the pipes end here, as ever.
  if (fork() != 0) return;
  KeepOnly(pipes);
  Drain(pipes);
  _exit(0);
}

}  // namespace tocsin::cli
