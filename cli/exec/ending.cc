// How a command ended, and how a process ends the same way.
#include "cli/exec/ending.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace tocsin::cli {

Ending Ending::OfWaitStatus(int wait_status) {
  if (WIFSIGNALED(wait_status)) return {Kind::kKilled, WTERMSIG(wait_status)};
  return {Kind::kExited, WEXITSTATUS(wait_status)};
}

int ExitStatusOf(const Ending& ending) {
  switch (ending.kind) {
    case Ending::Kind::kExited:
      return ending.number;
    case Ending::Kind::kKilled:
      return 128 + ending.number;
    case Ending::Kind::kNotStarted:
      break;
  }
  return ending.number == ENOENT ? 127 : 126;
}

std::string SignalName(int signal) {
  if (signal >= SIGRTMIN && signal <= SIGRTMAX) {
    return absl::StrCat("SIGRTMIN+", signal - SIGRTMIN);
  }
  const char* const name = sigabbrev_np(signal);
  return name == nullptr ? absl::StrCat("signal ", signal) : absl::StrCat("SIG", name);
}

std::string EndingWords(const Ending& ending, absl::string_view program) {
  switch (ending.kind) {
    case Ending::Kind::kExited:
      return "";
    case Ending::Kind::kKilled:
      return absl::StrCat("killed by ", SignalName(ending.number));
    case Ending::Kind::kNotStarted:
      break;
  }
  return absl::StrCat(program, ": ",
                      ending.number == ENOENT ? "command not found" : strerror(ending.number));
}

void EndAs(const Ending& ending) {
  if (ending.kind == Ending::Kind::kKilled) {
    const rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);  // also where the kernel pipes core dumps into a program
    signal(ending.number, SIG_DFL);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, ending.number);
    raise(ending.number);
    sigprocmask(SIG_UNBLOCK, &only, nullptr);
  }
  _exit(ExitStatusOf(ending));
}

}  // namespace tocsin::cli
