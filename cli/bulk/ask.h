// What a person is asked before much is done. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tocsin::cli {

// "Pause 23 monitors (a, b, c and 20 more)? [y/N] " of their full names.
std::string Question(absl::string_view verb, const std::vector<std::string>& names);

// "23 monitors (a, b, c and 20 more)", "1 monitor (a)".
std::string MonitorWords(const std::vector<std::string>& names);

// "y" and "yes", in any case.
bool IsYes(absl::string_view answer);

}  // namespace tocsin::cli
