// Starts the command.
#include "cli/exec/spawn.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "cli/exec/descriptors.h"

namespace tocsin::cli {
namespace {

// In the child; says on `fault` why it could not.
[[noreturn]] void Become(const std::vector<char*>& argv, const CommandStreams& streams,
                         const Signals& signals, int fault) {
  if (streams.out >= 0) dup2(streams.out, STDOUT_FILENO);
  if (streams.err >= 0) dup2(streams.err, STDERR_FILENO);
  signals.Restore();
  execvp(argv[0], argv.data());
  const int error = errno;
  const ssize_t told = write(fault, &error, sizeof(error));
  _exit(told == static_cast<ssize_t>(sizeof(error)) ? 126 : 125);
}

}  // namespace

Spawned Spawn(const std::vector<std::string>& words, const CommandStreams& streams,
              const Signals& signals) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  int heard = -1, fault = -1;
  if (!MakePipe(heard, fault)) return {.error = errno};
  const pid_t pid = fork();
  if (pid == 0) Become(argv, streams, signals, fault);
  const int fork_error = errno;
  close(fault);
  int error = 0;
  ssize_t bytes = 0;
  // Ends without a byte when exec closes the other end.
  do {
    bytes = pid < 0 ? 0 : read(heard, &error, sizeof(error));
  } while (bytes < 0 && errno == EINTR);
  close(heard);
  if (pid < 0) return {.error = fork_error};
  if (bytes != static_cast<ssize_t>(sizeof(error))) return {.pid = pid};
  waitpid(pid, nullptr, 0);
  return {.error = error};
}

}  // namespace tocsin::cli
