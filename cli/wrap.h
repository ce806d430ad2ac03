// Text on lines that a terminal holds. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tocsin::cli {

// Lines of at most `width` characters (0: as long as it is), broken at spaces; a word that is
// longer has a line of its own, whole: half a URL is of no use. At least one line; with `most`
// above 0 no more than that, the last one cut with "…".
std::vector<std::string> Wrapped(absl::string_view text, size_t width, size_t most = 0);

}  // namespace tocsin::cli
