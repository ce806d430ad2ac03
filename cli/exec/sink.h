// Where a stream of the command goes: our own standard output or error.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "absl/strings/string_view.h"

namespace tocsin::cli {

// Writes that never wait, also where others hold the same file: its flags are theirs as well, so
// that it must not be made non-blocking itself. (Where it cannot be opened anew, a terminal that
// somebody has stopped may hold up a write.)
class Sink {
 public:
  // `fd` stays the caller's.
  explicit Sink(int fd);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  int stream() const { return own_fd_; }
  // For poll.
  int fd() const { return fd_; }

  // The bytes that were taken, 0 when none can be now; -1, with errno, when none ever can be.
  ssize_t Write(absl::string_view bytes);

  // Whether nobody reads it any more, as of a pipe whose reader has ended.
  bool IsGone() const;
  // Whether it is a terminal that is no more.
  bool IsHungUp() const;

  // Lets go of it: `fd` leads to nowhere from now on, so that who reads it sees its end.
  void Close();

 private:
  enum class Kind { kNonBlocking, kSocket, kOther };

  bool Polled() const;

  const int own_fd_;
  int fd_;
  bool is_terminal_ = false;
  Kind kind_ = Kind::kOther;
};

}  // namespace tocsin::cli
