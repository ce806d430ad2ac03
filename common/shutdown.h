// SIGTERM and SIGINT as something that main() can wait for.
#pragma once

#include "absl/time/time.h"

namespace tocsin {

// One per process, made at the start of main(). The first signal asks for a graceful stop; a
// second one ends the process at once, as if no handler existed. Also ignores SIGPIPE. The
// methods are thread safe.
class Shutdown {
 public:
  Shutdown();
  ~Shutdown();
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  // Blocks until a signal or Request().
  void Wait() const;

  // The same for at most `timeout`; whether a stop was asked for.
  bool WaitFor(absl::Duration timeout) const;

  // Asks for a stop from inside the process.
  void Request();

  bool requested() const { return WaitFor(absl::ZeroDuration()); }

  // Becomes and stays readable once a stop was asked for: for event loops. Never read from it.
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace tocsin
