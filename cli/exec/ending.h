// How a command ended, and how a process ends the same way.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace tocsin::cli {

struct Ending {
  enum class Kind { kExited, kKilled, kNotStarted };
  Kind kind = Kind::kExited;
  int number =
      0;  // its exit status; the signal that killed it; the errno that kept it from starting

  // Of what waitpid says of a child that has ended.
  static Ending OfWaitStatus(int wait_status);
  static Ending OfError(int error) { return {Kind::kNotStarted, error}; }
};

// 0 to 255, as a shell has it: 128 + the signal; 127 for a command that was not found, 126 for one
// that could not be run.
int ExitStatusOf(const Ending& ending);

// "SIGTERM", "SIGRTMIN+3".
std::string SignalName(int signal);

// What a person must be told besides the exit status: "killed by SIGKILL", "backup.sh: command not
// found"; empty after an ordinary end. Of the command, only the name of the program is told: its
// arguments may be secret.
std::string EndingWords(const Ending& ending, absl::string_view program);

// Ends this process as the command ended: after a signal by the same signal, without a core dump
// (the command has left its own). Where that cannot kill, in the first process of a container, with
// the exit status. Runs no destructors and flushes nothing.
[[noreturn]] void EndAs(const Ending& ending);

}  // namespace tocsin::cli
