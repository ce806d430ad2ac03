// How an explanation is shown on a terminal.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tocsin/v1/timeline_service.pb.h"

namespace tocsin::cli {

inline constexpr size_t kExplainColumns = 100;

// `text` on lines of at most `width` characters, cut at spaces where there are any. One line at
// least.
std::vector<std::string> Wrapped(absl::string_view text, size_t width);

// The verdict, then the timeline, oldest first, within kExplainColumns.
std::string ShowExplanation(const v1::ExplainMonitorResponse& explanation, absl::string_view id);

}  // namespace tocsin::cli
