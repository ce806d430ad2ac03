// What a person is told who typed a command line that cannot be understood.
#pragma once

#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tocsin::cli {

// The text for `error` of parsing the command line of `root`, a line or two: it names the wrong
// word, the words that would be accepted and the nearest of them, or the variable that may stand in
// for a flag that is missing. Of a command line without any command it is the help.
std::string UsageText(const CLI::App& root, const CLI::Error& error);

// The help of the command that `words` name below `root`, e.g. {"monitor", "create"}; of all of it
// without words. INVALID_ARGUMENT as UsageText when there is no such command.
absl::StatusOr<std::string> HelpText(const CLI::App& root, const std::vector<std::string>& words);

// The word of `accepted` that somebody meant who typed `word`; empty when none is near.
std::string Nearest(absl::string_view word, const std::vector<std::string>& accepted);

}  // namespace tocsin::cli
