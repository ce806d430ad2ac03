// The rate at which pushes come in, from what the cores have counted in their lives.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/doctor/judge.h"

namespace tocsin::cli {

class PushMeter {
 public:
  // What a core said at /metrics at `now`. Metrics that do not tell when it started are no core.
  void AddCore(absl::string_view metrics, absl::Time now);

  // That of all the cores together. None without a core, and while one of them has not run for
  // long enough: a few seconds tell nothing of pushes that come every minute.
  std::optional<PushRate> Measured() const;

  // Why Measured() is none, and what helps: "--admin of core measures it".
  std::string WhyNot() const;

 private:
  double per_second_ = 0;
  absl::Duration shortest_ = absl::InfiniteDuration();  // life of a core
};

}  // namespace tocsin::cli
