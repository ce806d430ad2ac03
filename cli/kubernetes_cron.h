// Cron expressions as the controller of CronJobs reads them (github.com/robfig/cron, release 3).
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tocsin::cli {

// The same times, in the words of Tocsin's own expressions; what changed, and why, goes to `notes`.
// - There a field of days is restricted unless a `*` without a step stands in it, so that two
//   fields of which one is `*/2` fire on the days of either; here it must not begin with `*` for
//   that.
// - `5/15` is there what `5-59/15` is here.
// What is no expression of five fields is left as it is.
std::string FromKubernetesCron(absl::string_view expression, std::vector<std::string>& notes);

}  // namespace tocsin::cli
