// How much of the time for which a monitor was watched it was up.
#include "services/core/domain/uptime.h"

#include <algorithm>
#include <utility>

namespace tocsin::core {

Uptime UptimeOver(const Interval& window, const std::vector<Incident>& incidents,
                  const Intervals& unwatched) {
  Uptime uptime;
  uptime.start = window.start;
  uptime.end = std::max(window.start, window.end);
  std::vector<Interval> down;
  absl::Duration recovering;
  for (const Incident& incident : incidents) {
    if (incident.resolution == Resolution::kLateHeartbeat) continue;
    const Interval span = {
        .start = incident.opened_at,
        .end = std::max(incident.opened_at, incident.closed_at.value_or(uptime.end))};
    const Interval part = {.start = std::max(span.start, uptime.start),
                           .end = std::min(span.end, uptime.end)};
    const bool over_before = span.start < uptime.start && span.end <= uptime.start;
    if (over_before || part.end < part.start || Cover(unwatched, part)) continue;
    ++uptime.incidents;
    down.push_back(part);
    if (incident.resolution == Resolution::kRecovered && span.end <= uptime.end) {
      ++uptime.recoveries;
      recovering += LengthOf(Without(Merged({span}), unwatched));
    }
  }
  uptime.watched =
      LengthOf(Without(Merged({{.start = uptime.start, .end = uptime.end}}), unwatched));
  uptime.down = LengthOf(Without(Merged(std::move(down)), unwatched));
  if (uptime.watched > absl::ZeroDuration()) {
    uptime.ratio = 1 - absl::FDivDuration(uptime.down, uptime.watched);
  }
  if (uptime.recoveries > 0) {
    uptime.mean_time_to_recovery =
        absl::Trunc(recovering / uptime.recoveries, absl::Microseconds(1));
  }
  return uptime;
}

}  // namespace tocsin::core
