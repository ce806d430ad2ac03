// The signals that `tocsin exec` gets, as something that an event loop can wait for.
#include "cli/exec/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/exec/descriptors.h"

namespace tocsin::cli {
namespace {

sigset_t Blocked() {
  sigset_t set;
  sigfillset(&set);
  for (const int fault : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP}) {
    sigdelset(&set, fault);
  }
  for (const int stop : {SIGTTIN, SIGTTOU}) sigdelset(&set, stop);
  return set;
}

}  // namespace

bool IsForTheCommand(const CaughtSignal& caught, pid_t command) {
  const bool of_timer =
      caught.number == SIGALRM || caught.number == SIGVTALRM || caught.number == SIGPROF;
  return (!caught.of_kernel || of_timer) && caught.sender != command && caught.number != SIGCHLD;
}

Signals::Signals() {
  struct sigaction usual = {};
  usual.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &usual, &found_child_);
  sigset_t set = Blocked();
  sigprocmask(SIG_BLOCK, &set, &found_mask_);
  // Blocked, so that it kills nobody, and of no further interest: a write has failed, and says so.
  sigdelset(&set, SIGPIPE);
  fd_ = MovedUp(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

Signals::~Signals() {
  close(fd_);
  Restore();
}

std::optional<CaughtSignal> Signals::Next() {
  signalfd_siginfo info;
  if (read(fd_, &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info))) return std::nullopt;
  return CaughtSignal{.number = static_cast<int>(info.ssi_signo),
                      .of_kernel = info.ssi_code == SI_KERNEL,
                      .sender = static_cast<pid_t>(info.ssi_pid)};
}

bool Signals::AsksToEnd(int signal) const {
  if (signal != SIGHUP && signal != SIGINT && signal != SIGQUIT && signal != SIGTERM) return false;
  struct sigaction found;
  sigaction(signal, nullptr, &found);
  return found.sa_handler != SIG_IGN;
}

void Signals::Suspend() {
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, SIGTSTP);
  // By SIGTSTP and not SIGSTOP: where nobody could continue it, the kernel does not stop it.
  raise(SIGTSTP);
  sigprocmask(SIG_UNBLOCK, &only, nullptr);
  sigprocmask(SIG_BLOCK, &only, nullptr);
}

void Signals::Restore() const {
  sigaction(SIGCHLD, &found_child_, nullptr);
  sigprocmask(SIG_SETMASK, &found_mask_, nullptr);
}

}  // namespace tocsin::cli
