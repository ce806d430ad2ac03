// A core counts heartbeats from its start: the count over its life is the rate.
#include "cli/doctor/push_meter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/doctor/metrics_text.h"
#include "cli/duration.h"

namespace tocsin::cli {
namespace {

constexpr absl::Duration kLongEnough = absl::Minutes(1);

}  // namespace

void PushMeter::AddCore(absl::string_view metrics, absl::Time now) {
  const std::optional<double> started = SumOf(metrics, "process_start_time_seconds");
  if (!started.has_value()) return;
  // Not 0, so that a core whose clock is ahead of this one's is young rather than a division by it.
  const absl::Duration life = std::max(now - absl::UnixEpoch() - absl::Seconds(*started),
                                       absl::Duration(absl::Milliseconds(1)));
  double stored = 0;
  for (const char* outcome : {"recorded", "stale", "paused"}) {
    stored +=
        SumOf(metrics, "tocsin_core_heartbeats_total", absl::StrCat("outcome=\"", outcome, "\""))
            .value_or(0);
  }
  per_second_ += stored / absl::ToDoubleSeconds(life);
  shortest_ = std::min(shortest_, life);
}

std::optional<PushRate> PushMeter::Measured() const {
  if (shortest_ == absl::InfiniteDuration() || shortest_ < kLongEnough) return std::nullopt;
  return PushRate{per_second_, absl::StrCat("measured for ", ShowAge(shortest_))};
}

std::string PushMeter::WhyNot() const {
  if (shortest_ == absl::InfiniteDuration()) return "--admin of core measures it";
  return absl::StrCat("a core that has run for ", ShowAge(shortest_),
                      " cannot measure it yet, in a minute it can");
}

}  // namespace tocsin::cli
