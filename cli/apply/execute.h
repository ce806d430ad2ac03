// Does what a plan says.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/apply/plan.h"
#include "cli/apply/tokens_file.h"

namespace tocsin::cli {

struct Execution {
  std::vector<absl::Status> outcomes;  // of the steps; CANCELLED for those that were not begun
  // Monitors that were made with a push token, and channels with a secret, that nobody has seen.
  size_t unseen_monitors = 0;
  std::vector<std::string> unseen_channels;  // their ids
};

// Channels before monitors, deletions last, some at a time. A step that fails does not stop the
// others, but when core is away none is begun any more. New push tokens and channel secrets go to
// `tokens`; when it is not open, monitors are made with a push token that is thrown away: they are
// for push keys.
Execution Execute(const Plan& plan, const Collections& collections, TokensFile& tokens);

}  // namespace tocsin::cli
