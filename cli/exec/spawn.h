// Starts the command.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "cli/exec/signals.h"

namespace tocsin::cli {

// What becomes the command's standard output and error; -1: what is ours, be it open or not.
struct CommandStreams {
  int out = -1;
  int err = -1;
};

struct Spawned {
  pid_t pid = -1;
  int error = 0;  // instead of a pid: the errno that kept it from running
};

// Runs `words`, a program and its arguments, found as a shell finds it (also a script without
// "#!"), in our process group, with the signals as `signals` found them and our standard input.
// Returns once it runs or cannot. Only while this process has one thread.
Spawned Spawn(const std::vector<std::string>& words, const CommandStreams& streams,
              const Signals& signals);

}  // namespace tocsin::cli
