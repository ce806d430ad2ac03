// Where commands write files that people keep.
#pragma once

#include <string>

#include "CLI/App.hpp"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tocsin::cli {

// --to FILE; `path` is "-" without it.
void AddSave(CLI::App& app, std::string& path);

// Replaces the file as a whole, so that nobody reads half of it; to standard output for "-". Writes
// into what is no file, e.g. /dev/null or a pipe.
// FAILED_PRECONDITION when it cannot be written.
absl::Status Save(const std::string& path, absl::string_view text);

}  // namespace tocsin::cli
