// Values that files name without having them: ${env:NAME} and ${file:PATH}.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tocsin::cli {

inline constexpr size_t kMaxSecretBytes = 64 * 1024;  // of one file

// What the file has, without the newlines at its end. INVALID_ARGUMENT when it is unreadable or too
// large.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path);

struct Expanded {
  std::string text = "";
  bool secret = false;  // a part of it came from elsewhere: it is not to be shown
};

// `text` with the values: of variables of the environment, and of files, without the newlines at
// their ends; a relative PATH is one beside `folder`. "$${" stands for "${". INVALID_ARGUMENT says
// which one is unknown, unset, unreadable or too large, and repeats no value.
absl::StatusOr<Expanded> ExpandSecrets(absl::string_view text, const std::string& folder);

// `text` so that ExpandSecrets gives it back.
std::string EscapeSecrets(absl::string_view text);

}  // namespace tocsin::cli
