// What makes a shell ask `tocsin` what may be typed next.
#pragma once

#include "absl/strings/string_view.h"

namespace tocsin::cli {

// The word with which the scripts ask; what follows it are the words that were typed. A candidate a
// line comes back, with its help behind a tab.
inline constexpr char kComplete[] = "__complete";

// Of "bash", "zsh" or "fish", to be sourced; empty for another shell.
absl::string_view CompletionScript(absl::string_view shell);

}  // namespace tocsin::cli
