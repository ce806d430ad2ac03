// What a command is about that may be about many monitors.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/context.h"
#include "nlohmann/json.hpp"

namespace tocsin::cli {

struct Targets {
  std::vector<std::string> ids;
  std::string filter;
  std::vector<std::string> selectors;
  bool yes = false;
  bool dry_run = false;

  // One monitor, by its id: the command is about that, and answers with it.
  bool one() const { return ids.size() == 1 && !selects(); }
  // Whether some are meant that nobody has named.
  bool selects() const { return !filter.empty() || !selectors.empty(); }
};

// How a command speaks of what it does.
struct BulkVerb {
  const char* imperative;  // "Pause"
  const char* past;        // "paused"
};

// Adds IDs, --filter, -l, --yes and --dry-run.
void AddTargets(CLI::App& app, Targets& targets);

// What one call had to show.
struct Done {
  std::string text;             // e.g. a push URL; may be empty
  nlohmann::ordered_json json;  // fields; may be null
};
using BulkAct = std::function<absl::StatusOr<Done>(const std::string& name)>;

// Calls `act` with the name of every target, a few at a time, also after one that fails; each is
// printed as soon as it is done, with what `act` adds to its line (or, for programs, to its
// object). What was selected and not named is asked about first, unless --yes; --dry-run prints
// them and does nothing. INVALID_ARGUMENT without targets, and without --yes where nobody can be
// asked; NOT_FOUND when nothing is selected, CANCELLED when the answer is no. FAILED_PRECONDITION
// when some failed, which were told on standard error. What would be the same for every further one
// ends it: UNAVAILABLE, DEADLINE_EXCEEDED, UNAUTHENTICATED, PERMISSION_DENIED.
absl::Status ForEachTarget(const Context& context, const Targets& targets, const BulkVerb& verb,
                           const BulkAct& act);

}  // namespace tocsin::cli
