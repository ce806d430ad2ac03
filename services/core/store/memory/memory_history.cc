// A store that forgets everything when it ends: what is read of a monitor's past.
#include <algorithm>
#include <iterator>

#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {

absl::StatusOr<MonitorHistory> MemoryStore::ReadHistory(const HistoryQuery& query) {
  absl::MutexLock lock(&mutex_);
  MonitorHistory history;
  const auto& incidents = tables_.incidents();
  for (auto it = incidents.rbegin();
       it != incidents.rend() && static_cast<int>(history.incidents.size()) < query.incidents;
       ++it) {
    const Incident& incident = it->second;
    if (incident.monitor != query.monitor) continue;
    if (incident.closed_at.has_value() && *incident.closed_at <= query.since) continue;
    Incident& shown = history.incidents.emplace_back();
    shown.cause = incident.cause;
    shown.opened_at = incident.opened_at;
    shown.detected_at = incident.detected_at;
    shown.closed_at = incident.closed_at;
    shown.resolution = incident.resolution;
  }
  const std::vector<Interval>& states = tables_.UnwatchedOf(query.monitor);
  for (auto it = states.rbegin();
       it != states.rend() && static_cast<int>(history.states.size()) < query.states; ++it) {
    if (it->end > query.since) history.states.push_back(*it);
  }
  const memory::Tables::History& heartbeats = tables_.HistoryOf(query.monitor);
  for (auto it = heartbeats.rbegin();
       it != heartbeats.rend() && static_cast<int>(history.signals.size()) < query.signals; ++it) {
    const Heartbeat& heartbeat = it->second.heartbeat;
    if (heartbeat.at < query.signals_since) break;
    if (heartbeat.kind != HeartbeatKind::kUp && heartbeat.kind != HeartbeatKind::kDown) continue;
    history.signals.push_back({.at = heartbeat.at,
                               .kind = heartbeat.kind,
                               .value = heartbeat.value,
                               .run_duration = heartbeat.run_duration});
  }
  return history;
}

}  // namespace tocsin::core
