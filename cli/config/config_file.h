// The file in which people name the places where Tocsin runs for them.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tocsin::cli {

// A place: which core, which project, and the file with the key; never the key itself. What is
// empty is left to the defaults.
struct NamedContext {
  std::string core, project, key_file;

  friend bool operator==(const NamedContext&, const NamedContext&) = default;
};

struct Config {
  std::string current;  // name of the context that is used unless another one is; may be empty
  std::map<std::string, NamedContext> contexts;

  friend bool operator==(const Config&, const Config&) = default;
};

// Of the text of the file, which faults call `path`. INVALID_ARGUMENT says where what is wrong.
absl::StatusOr<Config> ParseConfig(absl::string_view text, const std::string& path);
std::string WriteConfig(const Config& config);

// Whether it can be the name of a context: 1 to 63 of [A-Za-z0-9._-].
bool IsContextName(absl::string_view name);

// An empty one when there is no such file. FAILED_PRECONDITION when others may write it: they could
// have a key sent to a core of theirs.
absl::StatusOr<Config> ReadConfigFile(const std::string& path);
// Replaces the file as a whole, mode 0600; makes its folder, mode 0700, but not those above it.
absl::Status WriteConfigFile(const std::string& path, const Config& config);

}  // namespace tocsin::cli
