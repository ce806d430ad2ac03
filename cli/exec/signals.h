// The signals that `tocsin exec` gets, as something that an event loop can wait for.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <optional>

namespace tocsin::cli {

struct CaughtSignal {
  int number = 0;
  bool of_kernel = false;  // e.g. of the terminal: then all of its process group have got it
  pid_t sender = 0;        // of another process; 0 from outside of the container
};

// Whether the command must be given a signal that we got. Not one of the kernel, which the command,
// in our process group, got as well: Ctrl-C must reach it once. (A timer that was set before this
// program was started, as `perl -e 'alarm 60; exec @ARGV'` does, is for us alone.) Nor one that it
// sent itself, e.g. to its whole group.
bool IsForTheCommand(const CaughtSignal& caught, pid_t command);

// One per process, made before there are threads: they inherit the mask. Blocks every signal that
// can be caught, but for those that report a fault of this process (SIGSEGV and the like) and those
// that stop a process which is not in the foreground (SIGTTIN, SIGTTOU), which stop command and us
// alike. No disposition is changed, so that the command inherits them all, except for SIGCHLD,
// which a parent may have left ignored: then children could not be waited for.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Readable when a signal came.
  int fd() const { return fd_; }
  std::optional<CaughtSignal> Next();

  // Whether it asks this process to end: SIGHUP, SIGINT, SIGQUIT or SIGTERM, if it was not ignored
  // when we started, as nohup has it.
  bool AsksToEnd(int signal) const;

  // Stops this process as SIGTSTP would have; returns when it is continued.
  void Suspend();

  // All as this process found it; in a child, before it becomes the command. Safe after fork.
  void Restore() const;

 private:
  int fd_;
  sigset_t found_mask_;
  struct sigaction found_child_;
};

}  // namespace tocsin::cli
