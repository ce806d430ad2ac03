// The end of what a command puts out.
#include "cli/exec/output_tail.h"

#include <algorithm>

namespace tocsin::cli {

void OutputTail::Append(absl::string_view bytes) {
  bytes.remove_prefix(bytes.size() - std::min(bytes.size(), most_));
  kept_.append(bytes.data(), bytes.size());
  if (kept_.size() > 2 * most_) kept_.erase(0, kept_.size() - most_);
}

std::string OutputTail::bytes() const {
  return kept_.substr(kept_.size() - std::min(kept_.size(), most_));
}

}  // namespace tocsin::cli
