// A store that forgets everything when it ends: what people and the engine read.
#include <algorithm>
#include <iterator>
#include <limits>
#include <set>

#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

// Walks a map of keys from the newest down, from below `before` (0: the newest).
template <typename Map, typename Take>
void WalkDown(const Map& map, int64_t before, int limit, Take take) {
  const int64_t end = before == 0 ? std::numeric_limits<int64_t>::max() : before;
  for (auto it = std::make_reverse_iterator(map.lower_bound(end)); it != map.rend() && limit > 0;
       ++it) {
    if (take(it->first, it->second)) --limit;
  }
}

}  // namespace

absl::StatusOr<std::optional<Monitor>> MemoryStore::FindMonitor(const std::string& project,
                                                                const std::string& id) {
  absl::MutexLock lock(&mutex_);
  const auto key = tables_.projects().find(project);
  if (key == tables_.projects().end()) return std::nullopt;
  const auto monitor = tables_.monitor_ids().find({key->second, id});
  if (monitor == tables_.monitor_ids().end()) return std::nullopt;
  return tables_.MonitorAt(monitor->second);
}

absl::StatusOr<MonitorPage> MemoryStore::ListMonitors(const MonitorQuery& query) {
  absl::MutexLock lock(&mutex_);
  std::vector<Monitor> matching;
  for (auto it = tables_.monitor_ids().lower_bound({query.project, ""});
       it != tables_.monitor_ids().end() && it->first.first == query.project; ++it) {
    Monitor monitor = tables_.MonitorAt(it->second);
    const bool wanted =
        (query.show_deleted || !monitor.definition.deleted_at) && Matches(query.filter, monitor) &&
        (!query.after || ComesBefore(query.order, *query.after, PlaceOf(query.order, monitor)));
    if (wanted) matching.push_back(std::move(monitor));
  }
  std::sort(matching.begin(), matching.end(), [&](const Monitor& a, const Monitor& b) {
    return ComesBefore(query.order, PlaceOf(query.order, a), PlaceOf(query.order, b));
  });
  MonitorPage page;
  if (static_cast<int>(matching.size()) > query.limit) {
    matching.resize(query.limit);
    page.next = PlaceOf(query.order, matching.back());
  }
  for (Monitor& monitor : matching) {
    const MonitorKey key = monitor.definition.key;
    page.monitors.push_back(
        {.monitor = std::move(monitor), .last_heartbeat = tables_.NewestHeartbeat(key)});
  }
  return page;
}

absl::StatusOr<std::optional<MonitorView>> MemoryStore::ReadMonitor(const std::string& project,
                                                                    const std::string& id) {
  absl::StatusOr<std::optional<Monitor>> monitor = FindMonitor(project, id);
  if (!monitor.ok()) return monitor.status();
  if (!monitor->has_value()) return std::nullopt;
  absl::MutexLock lock(&mutex_);
  const MonitorKey key = (*monitor)->definition.key;
  return MonitorView{.monitor = **std::move(monitor),
                     .last_heartbeat = tables_.NewestHeartbeat(key)};
}

absl::StatusOr<std::vector<StoredHeartbeat>> MemoryStore::ListHeartbeats(
    const HeartbeatQuery& query) {
  absl::MutexLock lock(&mutex_);
  std::vector<StoredHeartbeat> heartbeats;
  const memory::Tables::History& history = tables_.HistoryOf(query.monitor);
  for (auto it =
           std::make_reverse_iterator(history.lower_bound({query.before, query.before_push_id}));
       it != history.rend() && static_cast<int>(heartbeats.size()) < query.limit; ++it) {
    const HeartbeatKind kind = it->second.heartbeat.kind;
    if (query.ends_only && kind != HeartbeatKind::kUp && kind != HeartbeatKind::kDown) continue;
    StoredHeartbeat& stored = heartbeats.emplace_back(it->second);
    stored.output_bytes = static_cast<int32_t>(stored.heartbeat.output.size());
    if (!query.with_output) stored.heartbeat.output.clear();
  }
  return heartbeats;
}

IncidentView MemoryStore::ViewOf(const Incident& incident) const {
  IncidentView view = {
      .incident = incident, .project_id = tables_.ProjectId(incident.project), .monitor_id = ""};
  const auto monitor = tables_.definitions().find(incident.monitor);
  if (monitor != tables_.definitions().end()) view.monitor_id = monitor->second.id;
  return view;
}

DeliveryView MemoryStore::ViewOf(const Delivery& delivery) const {
  DeliveryView view = {.delivery = delivery,
                       .project_id = tables_.ProjectId(delivery.project),
                       .channel_id = tables_.channels().at(delivery.channel).channel.id,
                       .monitor_id = ""};
  const auto monitor = tables_.definitions().find(delivery.monitor);
  if (monitor != tables_.definitions().end()) view.monitor_id = monitor->second.id;
  return view;
}

absl::StatusOr<std::vector<IncidentView>> MemoryStore::ListIncidents(const IncidentQuery& query) {
  absl::MutexLock lock(&mutex_);
  std::vector<IncidentView> views;
  WalkDown(tables_.incidents(), query.before, query.limit,
           [&](IncidentKey, const Incident& incident) ABSL_NO_THREAD_SAFETY_ANALYSIS {
             const bool wanted = incident.project == query.project &&
                                 (!query.monitor || *query.monitor == incident.monitor) &&
                                 (!query.open_only || !incident.closed_at);
             if (wanted) views.push_back(ViewOf(incident));
             return wanted;
           });
  return views;
}

absl::StatusOr<std::optional<IncidentView>> MemoryStore::ReadIncident(const std::string& project,
                                                                      IncidentKey key) {
  absl::MutexLock lock(&mutex_);
  const auto incident = tables_.incidents().find(key);
  if (incident == tables_.incidents().end()) return std::nullopt;
  const auto found = tables_.projects().find(project);
  if (found == tables_.projects().end() || found->second != incident->second.project) {
    return std::nullopt;
  }
  return ViewOf(incident->second);
}

absl::StatusOr<std::vector<Channel>> MemoryStore::ListChannels(const ChannelQuery& query) {
  absl::MutexLock lock(&mutex_);
  std::vector<Channel> channels;
  for (const auto& [key, row] : tables_.channels()) {
    const Channel& channel = row.channel;
    if (!row.deleted && channel.project == query.project && channel.id > query.after_id) {
      channels.push_back(channel);
    }
  }
  std::sort(channels.begin(), channels.end(),
            [](const Channel& a, const Channel& b) { return a.id < b.id; });
  if (static_cast<int>(channels.size()) > query.limit) channels.resize(query.limit);
  return channels;
}

absl::StatusOr<std::vector<DeliveryView>> MemoryStore::ListDeliveries(const DeliveryQuery& query) {
  absl::MutexLock lock(&mutex_);
  std::vector<DeliveryView> views;
  WalkDown(tables_.deliveries(), query.before, query.limit,
           [&](DeliveryKey, const memory::DeliveryRow& row) ABSL_NO_THREAD_SAFETY_ANALYSIS {
             const Delivery& delivery = row.delivery;
             if (delivery.project != query.project ||
                 (query.channel && *query.channel != delivery.channel) ||
                 (query.monitor && *query.monitor != delivery.monitor) ||
                 (query.state && *query.state != delivery.state)) {
               return false;
             }
             views.push_back(ViewOf(delivery));
             return true;
           });
  return views;
}

absl::StatusOr<std::optional<ProjectKey>> MemoryStore::FindProject(const std::string& id) {
  absl::MutexLock lock(&projects_mutex_);
  const auto found = projects_.find(id);
  if (found == projects_.end()) return std::nullopt;
  return found->second;
}

absl::StatusOr<GapList> MemoryStore::ReadGaps(absl::Time since) {
  absl::MutexLock lock(&mutex_);
  GapList gaps;
  for (const auto& [key, row] : tables_.gaps()) {
    if (row.gap.end >= since) gaps.push_back(row.gap);
  }
  std::stable_sort(gaps.begin(), gaps.end(),
                   [](const Gap& a, const Gap& b) { return a.end < b.end; });
  return gaps;
}

absl::StatusOr<absl::Time> MemoryStore::NextSweepAt(const SweepCursor& after) {
  absl::MutexLock lock(&mutex_);
  const auto next = tables_.sweeps().upper_bound({after.sweep_at, after.monitor});
  return next == tables_.sweeps().end() ? absl::InfiniteFuture() : next->first;
}

absl::StatusOr<std::vector<ProjectKey>> MemoryStore::TroubledProjects() {
  absl::MutexLock lock(&mutex_);
  std::set<ProjectKey> projects;
  for (const auto& [key, row] : tables_.channels()) {
    const Channel& channel = row.channel;
    if (!row.deleted && (channel.disabled_at || channel.failing_since)) {
      projects.insert(channel.project);
    }
  }
  return std::vector<ProjectKey>(projects.begin(), projects.end());
}

absl::StatusOr<Census> MemoryStore::TakeCensus(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  Census census;
  for (const auto& [key, definition] : tables_.definitions()) {
    if (!definition.deleted_at) ++census.monitors[tables_.states().at(key).state.state];
  }
  census.open_incidents = static_cast<int64_t>(tables_.open_incidents().size());
  absl::Time oldest = now;
  for (const auto& [key, row] : tables_.deliveries()) {
    const Delivery& delivery = row.delivery;
    const auto channel = tables_.channels().find(delivery.channel);
    const bool exists = channel != tables_.channels().end() && !channel->second.deleted;
    if (delivery.state == DeliveryState::kDead && exists) {
      ++census.deliveries[DeliveryState::kDead];
      census.newest_dead = std::max(census.newest_dead, *delivery.finished_at);
    }
    if (delivery.state != DeliveryState::kPending) continue;
    ++census.deliveries[DeliveryState::kPending];
    const bool gathered = delivery.may_gather && exists;
    const absl::Time due_at =
        delivery.next_attempt_at +
        (gathered ? channel->second.channel.group_wait : absl::ZeroDuration());
    if (due_at > now) continue;
    ++census.overdue_deliveries;
    oldest = std::min(oldest, due_at);
  }
  census.oldest_due = now - oldest;
  for (const auto& [key, row] : tables_.channels()) {
    if (row.deleted) continue;
    census.failing_channels += row.channel.failing_since.has_value();
    census.disabled_channels += row.channel.disabled_at.has_value();
  }
  census.rollup_lag = RollupLag(rolled_.hours, now);
  if (!tables_.sweeps().empty()) {
    census.sweep_lag = std::max(now - tables_.sweeps().begin()->first, absl::ZeroDuration());
  }
  return census;
}

}  // namespace tocsin::core
