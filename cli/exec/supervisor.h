// Runs a command for somebody else: passes output and signals on, reports, and ends as it ended.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/exec/push_url.h"
#include "common/clock.h"

namespace tocsin::cli {

struct ExecOptions {
  std::vector<std::string> command;   // a program and its arguments
  std::optional<PushUrl> push_url{};  // without it nothing is reported
  std::string run_id;
  bool push_start = true;
  size_t output_bytes = 10'000;  // that are sent; with 0 the command has our own streams
  absl::Duration report_timeout = absl::Seconds(10);
  bool quiet = false;  // about reports that failed
};

// Runs the command and ends this process as the command ended, whatever becomes of the reports.
// Only while this process has one thread, and once.
//
// The command is in our process group, so that the terminal's signals reach it once and job control
// works as without us. As the first process of a container, every orphan is waited for; elsewhere
// orphans are left to whom they belong.
[[noreturn]] void RunCommand(const ExecOptions& options, const MonotonicClock& clock);

}  // namespace tocsin::cli
