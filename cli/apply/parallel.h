// A few calls at a time.
#pragma once

#include <cstddef>

#include "absl/functional/function_ref.h"

namespace tocsin::cli {

// So many calls are under way at once: enough to hide the time on the wire, too few to be felt by
// others.
inline constexpr size_t kCallsAtOnce = 8;

// Calls `work` once for each index below `count`, in order of index as far as threads allow, from
// at most kCallsAtOnce threads; returns after the last one. An index that `work` returns false for
// is the last that is begun.
void ForEachAtOnce(size_t count, absl::FunctionRef<bool(size_t)> work);

}  // namespace tocsin::cli
