// A transaction of the in-memory store.
#include "services/core/store/memory/memory_transaction.h"

#include <algorithm>
#include <set>
#include <utility>

#include "services/core/domain/backlog.h"

namespace tocsin::core::memory {
namespace {

constexpr absl::Duration kRetryWindow = absl::Seconds(15);

bool IsHeld(const Delivery& delivery) { return !delivery.lease_id.empty() || delivery.redelivery; }

}  // namespace

absl::StatusOr<std::vector<std::optional<TokenMatch>>> MemoryTransaction::ResolveTokens(
    absl::Span<const TokenHash> tokens, absl::Time now) {
  std::vector<std::optional<TokenMatch>> matches;
  for (const TokenHash& token : tokens) {
    std::optional<TokenMatch>& match = matches.emplace_back();
    const auto found = tables_.tokens().find(token);
    if (found == tables_.tokens().end() || found->second.expires_at <= now) continue;
    const MonitorDefinition& definition = tables_.definitions().at(found->second.monitor);
    if (definition.deleted_at.has_value()) continue;
    match = TokenMatch{.monitor = definition.key,
                       .version = definition.version,
                       .expires_at = found->second.expires_at,
                       .project_id = definition.project_id,
                       .monitor_id = definition.id,
                       .has_value_bounds = HasValueBounds(definition)};
  }
  return matches;
}

absl::StatusOr<std::vector<Monitor>> MemoryTransaction::LockMonitors(
    absl::Span<const MonitorKey> keys, LockMode) {
  std::vector<Monitor> monitors;
  for (const MonitorKey key : keys) {
    if (tables_.definitions().contains(key)) monitors.push_back(tables_.MonitorAt(key));
  }
  return monitors;
}

absl::StatusOr<DueMonitors> MemoryTransaction::LockDue(const SweepCursor& after, absl::Time now,
                                                       int limit) {
  DueMonitors due;
  const auto& sweeps = tables_.sweeps();
  auto next = sweeps.upper_bound({after.sweep_at, after.monitor});
  for (; next != sweeps.end() && next->first <= now && !due.full; ++next) {
    due.monitors.push_back(tables_.MonitorAt(next->second));
    due.last = {.sweep_at = next->first, .monitor = next->second};
    due.full = static_cast<int>(due.monitors.size()) >= limit;
  }
  int beyond = 0;
  for (; next != sweeps.end() && next->first <= now && beyond < CriticalBeyond(limit); ++next) {
    Monitor monitor = tables_.MonitorAt(next->second);
    if (monitor.definition.severity != Severity::kCritical) continue;
    due.monitors.push_back(std::move(monitor));
    ++beyond;
  }
  return due;
}

absl::StatusOr<std::optional<MonitorKey>> MemoryTransaction::FindMonitor(ProjectKey project,
                                                                         const std::string& id) {
  const auto found = tables_.monitor_ids().find({project, id});
  if (found == tables_.monitor_ids().end()) return std::nullopt;
  return found->second;
}

absl::StatusOr<MonitorIdentity> MemoryTransaction::InsertMonitor(const Monitor& monitor,
                                                                 absl::Time sweep_at) {
  MonitorDefinition definition = monitor.definition;
  if (tables_.monitor_ids().contains({definition.project, definition.id})) {
    return absl::AlreadyExistsError("the project has a monitor with that id");
  }
  definition.key = tables_.Draw();
  definition.version = tables_.Draw();
  const MonitorIdentity identity = {.key = definition.key, .version = definition.version};
  tables_.SetState(identity.key,
                   StateRow{.state = monitor.state, .last_push_id = 0, .sweep_at = sweep_at});
  tables_.SetDefinition(identity.key, std::move(definition));
  news_.sweep |= sweep_at != absl::InfiniteFuture();
  return identity;
}

absl::StatusOr<int64_t> MemoryTransaction::SaveDefinition(const MonitorDefinition& definition) {
  if (!tables_.definitions().contains(definition.key)) {
    return absl::NotFoundError("no such monitor");
  }
  MonitorDefinition saved = definition;
  saved.version = tables_.Draw();
  const int64_t version = saved.version;
  tables_.SetDefinition(definition.key, std::move(saved));
  return version;
}

absl::Status MemoryTransaction::SaveStates(absl::Span<const StateChange> changes) {
  for (const StateChange& change : changes) {
    const auto found = tables_.states().find(change.monitor);
    if (found == tables_.states().end()) continue;
    StateRow row = found->second;
    row.state = change.state;
    if (change.last_push_id != 0) row.last_push_id = change.last_push_id;
    if (change.sweep_at.has_value()) {
      news_.sweep |= *change.sweep_at < row.sweep_at;
      row.sweep_at = *change.sweep_at;
    }
    tables_.SetState(change.monitor, std::move(row));
  }
  return absl::OkStatus();
}

absl::Status MemoryTransaction::AddToken(MonitorKey monitor, const TokenHash& token, absl::Time) {
  if (tables_.tokens().contains(token)) return absl::AlreadyExistsError("the token is known");
  tables_.SetToken(token, TokenRow{.monitor = monitor, .expires_at = absl::InfiniteFuture()});
  return absl::OkStatus();
}

absl::Status MemoryTransaction::ExpireTokens(MonitorKey monitor, absl::Time at) {
  std::vector<TokenHash> longer;
  for (const auto& [hash, row] : tables_.tokens()) {
    if (row.monitor == monitor && row.expires_at > at) longer.push_back(hash);
  }
  for (const TokenHash& hash : longer) {
    tables_.SetToken(hash, TokenRow{.monitor = monitor, .expires_at = at});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<bool>> MemoryTransaction::FindRecorded(
    absl::Span<const PushRef> pushes) {
  std::vector<bool> recorded;
  for (const PushRef& push : pushes) {
    const Tables::History& history = tables_.HistoryOf(push.monitor);
    const auto first = history.lower_bound({push.at - kRetryWindow, 0});
    const auto last = history.upper_bound({push.at + kRetryWindow, ~uint64_t{0}});
    recorded.push_back(std::any_of(first, last, [&](const auto& entry) {
      return entry.second.heartbeat.push_id == push.push_id;
    }));
  }
  return recorded;
}

absl::Status MemoryTransaction::AddHeartbeats(absl::Span<const StoredHeartbeat> heartbeats) {
  for (const StoredHeartbeat& heartbeat : heartbeats) tables_.AddHeartbeat(heartbeat);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Heartbeat>> MemoryTransaction::NewestHeartbeat(MonitorKey monitor,
                                                                            absl::Time now) {
  std::optional<Heartbeat> newest = tables_.NewestHeartbeat(monitor, now + kHeartbeatsAhead);
  if (newest.has_value() && newest->output.size() > kSnapshotOutputBytes) {
    newest->output = newest->output.substr(newest->output.size() - kSnapshotOutputBytes);
  }
  return newest;
}

absl::StatusOr<std::vector<bool>> MemoryTransaction::FindEndedRuns(absl::Span<const RunRef> runs,
                                                                   absl::Time since) {
  std::vector<bool> ended;
  for (const RunRef& run : runs) {
    const auto found = tables_.ended_runs().find({run.monitor, run.run_id});
    ended.push_back(found != tables_.ended_runs().end() && found->second >= since);
  }
  return ended;
}

absl::Status MemoryTransaction::AddEndedRuns(absl::Span<const RunRef> runs, absl::Time at) {
  for (const RunRef& run : runs) tables_.SetEndedRun({run.monitor, run.run_id}, at);
  return absl::OkStatus();
}

absl::StatusOr<IncidentKey> MemoryTransaction::AddIncident(const Incident& incident) {
  if (!incident.closed_at && tables_.open_incidents().contains(incident.monitor)) {
    return absl::InternalError("the monitor has an open incident already");
  }
  Incident added = incident;
  added.key = tables_.Draw();
  const IncidentKey key = added.key;
  tables_.SetIncident(key, std::move(added));
  return key;
}

absl::Status MemoryTransaction::SaveIncident(const Incident& incident) {
  const auto found = tables_.incidents().find(incident.key);
  if (found == tables_.incidents().end()) return absl::OkStatus();
  Incident saved = found->second;
  saved.message = incident.message;
  saved.closed_at = incident.closed_at;
  saved.resolution = incident.resolution;
  saved.reminded_at = incident.reminded_at;
  saved.held_until = incident.held_until;
  tables_.SetIncident(incident.key, std::move(saved));
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Incident>> MemoryTransaction::FindIncident(IncidentKey incident) {
  const auto found = tables_.incidents().find(incident);
  if (found == tables_.incidents().end()) return std::nullopt;
  return found->second;
}

absl::StatusOr<EventKey> MemoryTransaction::AddEvent(const AlertEvent& event) {
  EventRow row = {.event = event};
  row.event.key = tables_.Draw();
  const EventKey key = row.event.key;
  tables_.SetEvent(key, std::move(row));
  news_.events = true;
  return key;
}

absl::Status MemoryTransaction::AddDeliveries(absl::Span<const Delivery> deliveries) {
  for (const Delivery& delivery : deliveries) {
    if (tables_.delivery_ids().contains(delivery.id)) {
      return absl::InternalError("a delivery with that id exists already");
    }
    DeliveryRow row = {.delivery = delivery};
    row.delivery.key = tables_.Draw();
    const DeliveryKey key = row.delivery.key;
    tables_.SetDelivery(key, std::move(row));
    news_.deliveries = true;
  }
  for (const Delivery& delivery : deliveries) {
    if (delivery.monitor != 0) CutBacklogOf(delivery.channel, delivery.monitor);
  }
  return absl::OkStatus();
}

void MemoryTransaction::CutBacklogOf(ChannelKey channel, MonitorKey monitor) {
  std::vector<Delivery> queue;
  for (const DeliveryKey key : tables_.QueueOf(channel, monitor)) {
    queue.push_back(tables_.deliveries().at(key).delivery);
  }
  const std::optional<BacklogCut> cut =
      CutBacklog(queue, KnowsIncidents(tables_.channels().at(channel).channel.format));
  if (!cut.has_value()) return;
  for (const DeliveryKey key : cut->superseded) {
    DeliveryRow row = tables_.deliveries().at(key);
    row.delivery.state = DeliveryState::kSuperseded;
    row.delivery.finished_at = cut->at;
    tables_.SetDelivery(key, std::move(row));
  }
  DeliveryRow newest = tables_.deliveries().at(cut->newest);
  newest.delivery.skipped = cut->skipped;
  tables_.SetDelivery(cut->newest, std::move(newest));
}

absl::StatusOr<std::vector<FiringDelivery>> MemoryTransaction::FindFirings(IncidentKey incident) {
  std::vector<FiringDelivery> firings;
  const auto firing = tables_.firings().find(incident);
  if (firing == tables_.firings().end()) return firings;
  const auto [first, last] = tables_.event_deliveries().equal_range(firing->second);
  for (auto it = first; it != last; ++it) {
    const DeliveryRow& row = tables_.deliveries().at(it->second);
    if (row.delivery.type == DeliveryType::kDigest) continue;  // what it tells has its own
    firings.push_back({.delivery = it->second,
                       .event = firing->second,
                       .channel = row.delivery.channel,
                       .state = row.delivery.state,
                       .held = IsHeld(row.delivery),
                       .tried = row.delivery.attempts > 0,
                       .skipped = row.delivery.skipped});
  }
  std::sort(firings.begin(), firings.end(), [](const FiringDelivery& a, const FiringDelivery& b) {
    return a.delivery < b.delivery;
  });
  return firings;
}

absl::StatusOr<std::vector<DeliveryKey>> MemoryTransaction::Withdraw(
    absl::Span<const DeliveryKey> deliveries, absl::Time now) {
  std::vector<DeliveryKey> withdrawn;
  for (const DeliveryKey key : deliveries) {
    const auto found = tables_.deliveries().find(key);
    if (found == tables_.deliveries().end()) continue;
    DeliveryRow row = found->second;
    if (IsHeld(row.delivery) || row.delivery.state != DeliveryState::kPending) continue;
    row.delivery.state = DeliveryState::kSuperseded;
    row.delivery.finished_at = now;
    tables_.SetDelivery(key, std::move(row));
    withdrawn.push_back(key);
  }
  return withdrawn;
}

std::optional<ChannelKey> MemoryTransaction::FindChannel(ProjectKey project,
                                                         const std::string& id) const {
  for (const auto& [key, row] : tables_.channels()) {
    if (!row.deleted && row.channel.project == project && row.channel.id == id) return key;
  }
  return std::nullopt;
}

absl::StatusOr<ChannelList> MemoryTransaction::Channels(ProjectKey project) {
  auto channels = std::make_shared<std::vector<Channel>>();
  for (const auto& [key, row] : tables_.channels()) {
    if (!row.deleted && row.channel.project == project) channels->push_back(row.channel);
  }
  std::sort(channels->begin(), channels->end(),
            [](const Channel& a, const Channel& b) { return a.id < b.id; });
  return channels;
}

absl::StatusOr<std::optional<Channel>> MemoryTransaction::LockChannel(ProjectKey project,
                                                                      const std::string& id) {
  const std::optional<ChannelKey> key = FindChannel(project, id);
  if (!key.has_value()) return std::nullopt;
  return tables_.channels().at(*key).channel;
}

absl::StatusOr<ChannelKey> MemoryTransaction::InsertChannel(const Channel& channel) {
  if (FindChannel(channel.project, channel.id).has_value()) {
    return absl::AlreadyExistsError("the project has a channel with that id");
  }
  ChannelRow row = {.channel = channel};
  row.channel.key = tables_.Draw();
  const ChannelKey key = row.channel.key;
  tables_.SetChannel(key, std::move(row));
  return key;
}

absl::Status MemoryTransaction::SaveChannel(const Channel& channel) {
  const auto found = tables_.channels().find(channel.key);
  if (found == tables_.channels().end()) return absl::OkStatus();
  const bool has_another_url = found->second.channel.url_set_at != channel.url_set_at;
  tables_.SetChannel(channel.key, ChannelRow{.channel = channel, .deleted = found->second.deleted});
  if (has_another_url && channel.url_set_at.has_value()) {
    tables_.ReleaseBacklog(channel.key, channel.updated_at);
  }
  news_.deliveries = true;
  return absl::OkStatus();
}

absl::Status MemoryTransaction::DeleteChannel(ChannelKey channel, absl::Time now) {
  const auto found = tables_.channels().find(channel);
  if (found == tables_.channels().end()) return absl::OkStatus();
  ChannelRow row = found->second;
  row.deleted = true;
  tables_.SetChannel(channel, std::move(row));
  std::vector<DeliveryKey> waiting;
  if (const auto pending = tables_.pending().find(channel); pending != tables_.pending().end()) {
    for (const auto& [due, key] : pending->second) waiting.push_back(key);
  }
  for (const DeliveryKey key : waiting) {
    DeliveryRow ended = tables_.deliveries().at(key);
    ended.delivery.state = DeliveryState::kDead;
    ended.delivery.finished_at = now;
    ended.delivery.last_outcome = "channel_deleted";
    ended.delivery.lease_id.clear();
    ended.delivery.leased_until = absl::InfinitePast();
    tables_.SetDelivery(key, std::move(ended));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Delivery>> MemoryTransaction::LockDelivery(ProjectKey project,
                                                                        const std::string& id) {
  const auto found = tables_.delivery_ids().find(id);
  if (found == tables_.delivery_ids().end()) return std::nullopt;
  const Delivery& delivery = tables_.deliveries().at(found->second).delivery;
  if (delivery.project != project) return std::nullopt;
  return delivery;
}

absl::Status MemoryTransaction::SaveDelivery(const Delivery& delivery) {
  const auto found = tables_.deliveries().find(delivery.key);
  if (found == tables_.deliveries().end()) return absl::OkStatus();
  tables_.SetDelivery(delivery.key, DeliveryRow{.delivery = delivery});
  news_.deliveries = true;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Touch>> MemoryTransaction::ReadTouches() {
  std::vector<Touch> touches;
  for (const auto& [instance, touch] : tables_.touches()) touches.push_back(touch);
  return touches;
}

absl::Status MemoryTransaction::SaveTouch(const Touch& touch) {
  tables_.SetTouch(touch.instance, touch);
  return absl::OkStatus();
}

absl::Status MemoryTransaction::ForgetTouches(absl::Time before) {
  std::vector<std::string> old;
  for (const auto& [instance, touch] : tables_.touches()) {
    if (touch.at < before) old.push_back(instance);
  }
  for (const std::string& instance : old) tables_.SetTouch(instance, std::nullopt);
  return absl::OkStatus();
}

absl::Status MemoryTransaction::AddGap(const Gap& gap) {
  tables_.SetGap(tables_.Draw(), GapRow{.gap = gap, .told = false});
  return absl::OkStatus();
}

absl::StatusOr<std::vector<StoredGap>> MemoryTransaction::LockUntoldGaps(absl::Time ended_by) {
  std::vector<StoredGap> untold;
  for (const auto& [key, row] : tables_.gaps()) {
    if (!row.told && row.gap.end <= ended_by) untold.push_back({.key = key, .gap = row.gap});
  }
  std::stable_sort(untold.begin(), untold.end(),
                   [](const StoredGap& a, const StoredGap& b) { return a.gap.end < b.gap.end; });
  return untold;
}

absl::Status MemoryTransaction::MarkGapsTold(absl::Span<const int64_t> keys) {
  for (const int64_t key : keys) {
    if (const auto found = tables_.gaps().find(key); found != tables_.gaps().end()) {
      tables_.SetGap(key, GapRow{.gap = found->second.gap, .told = true});
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> MemoryTransaction::ClaimSilence(absl::Time since, const ToldSilence& told) {
  if (tables_.told_silences().contains(since)) return false;
  tables_.SetToldSilence(since, told);
  return true;
}

absl::StatusOr<std::vector<ProjectKey>> MemoryTransaction::EndSilence(absl::Time from,
                                                                      absl::Time until,
                                                                      absl::Time now) {
  std::set<ProjectKey> told;
  for (const auto& [since, silence] : tables_.told_silences()) {
    if (since < from || since > until) continue;
    told.insert(silence.projects.begin(), silence.projects.end());
    for (const std::string& id : silence.deliveries) {
      const auto found = tables_.delivery_ids().find(id);
      if (found == tables_.delivery_ids().end()) continue;
      DeliveryRow row = tables_.deliveries().at(found->second);
      if (row.delivery.state != DeliveryState::kPending) continue;
      row.delivery.state = DeliveryState::kSuperseded;
      row.delivery.finished_at = now;
      tables_.SetDelivery(found->second, std::move(row));
    }
  }
  return std::vector<ProjectKey>(told.begin(), told.end());
}

absl::StatusOr<std::vector<ProjectKey>> MemoryTransaction::ProjectsOverHttp() {
  std::set<ProjectKey> told;
  for (const auto& [key, row] : tables_.channels()) {
    const Channel& channel = row.channel;
    if (!row.deleted && channel.is_default && !channel.disabled_at) told.insert(channel.project);
  }
  std::set<ProjectKey> projects;
  for (const auto& [key, definition] : tables_.definitions()) {
    const MonitorState& state = tables_.states().at(key).state;
    const bool waits =
        state.last_at != absl::InfinitePast() || state.armed_at != absl::InfinitePast();
    if (told.contains(definition.project) && state.state != State::kPaused && waits &&
        state.last_source != Source::kGrpc) {
      projects.insert(definition.project);
    }
  }
  return std::vector<ProjectKey>(projects.begin(), projects.end());
}

absl::StatusOr<std::vector<Monitor>> MemoryTransaction::MonitorsAround(const Gap& gap,
                                                                       MonitorKey after,
                                                                       int limit) {
  std::vector<Monitor> monitors;
  for (auto it = tables_.definitions().upper_bound(after);
       it != tables_.definitions().end() && static_cast<int>(monitors.size()) < limit; ++it) {
    const MonitorState& state = tables_.states().at(it->first).state;
    const bool armed = state.armed_at != absl::InfinitePast() ||
                       state.last_at != absl::InfinitePast() || !state.runs.empty();
    const bool watched = state.state == State::kUp || (state.state == State::kNew && armed);
    if (it->second.deleted_at || !watched) continue;
    const Schedule& schedule = it->second.schedule;
    const bool patient =
        !schedule.cron.has_value() && schedule.timeout + schedule.grace >= gap.end - gap.start;
    if (state.last_at >= gap.end && (patient || it->second.created_at >= gap.start)) continue;
    monitors.push_back(tables_.MonitorAt(it->first));
  }
  return monitors;
}

}  // namespace tocsin::core::memory
