// A store that forgets everything when it ends: rollups.
#include <algorithm>
#include <iterator>

#include "services/core/domain/unwatched.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {

// Hours from rolled_.hours on that hold a signal, to before `over`.
void MemoryStore::RollUpMonitor(MonitorKey key, absl::Time over) {
  const Monitor monitor = tables_.MonitorAt(key);
  std::vector<Signal> signals;  // those of an hour, and the one before
  std::vector<Incident> incidents;
  for (const auto& [number, incident] : tables_.incidents()) {
    if (incident.monitor == key) incidents.push_back(incident);
  }
  Maintenances maintenances;
  for (const auto& [number, each] : tables_.maintenances()) maintenances.push_back(each);
  GapList gaps;
  for (const auto& [number, row] : tables_.gaps()) gaps.push_back(row.gap);
  const auto roll = [&](absl::Time start) {
    if (start < rolled_.hours || start >= over || signals.empty()) return;
    const Unwatched unwatched = UnwatchedOf(monitor, tables_.UnwatchedOf(key), gaps, maintenances,
                                            signals.front().at, start + kHourLength);
    Rollup rollup = RollUp(monitor.definition, start, signals, unwatched.intervals, incidents);
    if (!rollup.empty()) hours_[{key, start}] = std::move(rollup);
  };
  absl::Time start = absl::InfinitePast();
  for (const auto& [place, stored] : tables_.HistoryOf(key)) {
    const Heartbeat& heartbeat = stored.heartbeat;
    if (heartbeat.kind != HeartbeatKind::kUp && heartbeat.kind != HeartbeatKind::kDown) continue;
    if (HourOf(heartbeat.at) != start) {
      roll(start);
      start = HourOf(heartbeat.at);
      if (!signals.empty()) signals.erase(signals.begin(), std::prev(signals.end()));
    }
    signals.push_back({.at = heartbeat.at,
                       .kind = heartbeat.kind,
                       .value = heartbeat.value,
                       .run_duration = heartbeat.run_duration});
  }
  roll(start);
}

void MemoryStore::RollUpHistory(const RollupPolicy& policy, absl::Time now) {
  const absl::Time over = HourOf(now - kRollupSettle);
  if (over > rolled_.hours) {
    for (const auto& [key, definition] : tables_.definitions()) RollUpMonitor(key, over);
    const absl::Time days = DayOf(over);
    for (const auto& [place, hour] : hours_) {
      const absl::Time day = DayOf(place.second);
      if (day < rolled_.days || day >= days) continue;
      Rollup& its = days_[{place.first, day}];
      its.start = day;
      its.Add(hour);
    }
    rolled_ = {.hours = over, .days = days};
  }
  std::erase_if(hours_, [&](const auto& item) {
    return item.first.second < std::min(now - policy.hours, rolled_.days);
  });
  std::erase_if(days_, [&](const auto& item) { return item.first.second < now - policy.days; });
}

absl::StatusOr<RolledPast> MemoryStore::ReadRollups(const RollupQuery& query) {
  absl::MutexLock lock(&mutex_);
  const RollupSpan span = RollupsBefore(query.first, rolled_, query.since);
  RolledPast past;
  past.end = span.end;
  const auto add = [&](const Rollups& rollups, absl::Time from, absl::Time to) {
    for (auto it = rollups.lower_bound({query.monitor, from});
         it != rollups.end() && it->first < std::pair(query.monitor, to); ++it) {
      past.rollups.push_back(it->second);
    }
  };
  add(days_, span.days, span.hours);
  add(hours_, span.hours, span.end);
  return past;
}

}  // namespace tocsin::core
