// Where a stream of the command goes: our own standard output or error.
#include "cli/exec/sink.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "cli/exec/descriptors.h"

namespace tocsin::cli {
namespace {

bool CanWait(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

bool IsWritable(int fd) {
  pollfd one = {fd, POLLOUT, 0};
  return poll(&one, 1, 0) > 0;
}

}  // namespace

Sink::Sink(int fd) : own_fd_(fd), fd_(fd) {
  struct stat file = {};
  fstat(fd, &file);
  if (S_ISSOCK(file.st_mode)) kind_ = Kind::kSocket;
  is_terminal_ = isatty(fd) != 0;
  if (!S_ISFIFO(file.st_mode) && !is_terminal_) return;
  const int anew = MovedUp(open(absl::StrCat("/proc/self/fd/", fd).c_str(),
                                O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (anew < 0) return;
  fd_ = anew;
  kind_ = Kind::kNonBlocking;
}

Sink::~Sink() {
  if (fd_ != own_fd_) close(fd_);
}

ssize_t Sink::Write(absl::string_view bytes) {
  ssize_t written = 0;
  switch (kind_) {
    case Kind::kNonBlocking:
      written = write(fd_, bytes.data(), bytes.size());
      break;
    case Kind::kSocket:
      written = send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      break;
    case Kind::kOther:
      // So much fits in without waiting.
      if (!IsWritable(fd_)) return 0;
      written = write(fd_, bytes.data(), std::min<size_t>(bytes.size(), PIPE_BUF));
      break;
  }
  return written < 0 && CanWait(errno) ? 0 : written;
}

bool Sink::Polled() const {
  pollfd one = {fd_, 0, 0};
  return poll(&one, 1, 0) > 0 && (one.revents & (POLLERR | POLLHUP)) != 0;
}

bool Sink::IsGone() const { return !is_terminal_ && Polled(); }

bool Sink::IsHungUp() const { return is_terminal_ && Polled(); }

void Sink::Close() {
  if (fd_ != own_fd_) close(fd_);
  PointToNull(own_fd_);
  fd_ = own_fd_;
  kind_ = Kind::kOther;
  is_terminal_ = false;
}

}  // namespace tocsin::cli
