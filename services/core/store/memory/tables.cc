// What the in-memory store holds, and how a transaction that fails is undone.
#include "services/core/store/memory/tables.h"

#include <algorithm>

namespace tocsin::core::memory {

Tables::Tables() {
  ProjectRow row;
  row.project.key = Draw();
  row.project.id = row.project.display_name = "default";
  row.project.version = 1;
  SetProject(row.project.key, row);
  Commit();
}

void Tables::Rollback() {
  undoing_ = true;
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) (*undo)();
  undoing_ = false;
  undo_.clear();
}

void Tables::OnUndo(std::function<void()> undo) {
  if (!undoing_) undo_.push_back(std::move(undo));
}

template <typename Map>
Tables::Value<Map> Tables::Put(Map& map, const typename Map::key_type& key, Value<Map> value) {
  Value<Map> before;
  if (const auto found = map.find(key); found != map.end()) {
    before = std::move(found->second);
    map.erase(found);
  }
  if (value.has_value()) map.emplace(key, *std::move(value));
  return before;
}

void Tables::SetDefinition(MonitorKey key, std::optional<MonitorDefinition> definition) {
  if (definition) monitor_ids_[{definition->project, definition->id}] = key;
  const bool removed = !definition.has_value();
  std::optional<MonitorDefinition> before = Put(definitions_, key, std::move(definition));
  if (before && removed) monitor_ids_.erase({before->project, before->id});
  OnUndo([this, key, before = std::move(before)] { SetDefinition(key, before); });
}

void Tables::NoteUnwatched(MonitorKey key, const MonitorState& before, const MonitorState& after) {
  if (undoing_ || (before.state != State::kNew && before.state != State::kPaused) ||
      after.state == before.state || after.changed_at <= before.changed_at) {
    return;
  }
  unwatched_[key].push_back({.start = before.changed_at, .end = after.changed_at});
  OnUndo([this, key] { unwatched_[key].pop_back(); });
}

void Tables::SetState(MonitorKey key, std::optional<StateRow> row) {
  if (row) row->state.incident.reset();
  if (const auto found = states_.find(key); row && found != states_.end()) {
    NoteUnwatched(key, found->second.state, row->state);
  }
  const absl::Time after = row ? row->sweep_at : absl::InfiniteFuture();
  std::optional<StateRow> before = Put(states_, key, std::move(row));
  if (before) sweeps_.erase({before->sweep_at, key});
  if (after != absl::InfiniteFuture()) sweeps_.insert({after, key});
  OnUndo([this, key, before = std::move(before)] { SetState(key, before); });
}

void Tables::SetToken(const TokenHash& hash, std::optional<TokenRow> row) {
  std::optional<TokenRow> before = Put(tokens_, hash, std::move(row));
  OnUndo([this, hash, before] { SetToken(hash, before); });
}

void Tables::AddHeartbeat(const StoredHeartbeat& heartbeat) {
  History& history = histories_[heartbeat.monitor];
  const auto added =
      history.insert({{heartbeat.heartbeat.at, heartbeat.heartbeat.push_id}, heartbeat});
  OnUndo([&history, added] { history.erase(added); });
}

void Tables::EraseHistory(MonitorKey monitor, absl::Time before,
                          std::optional<absl::Time> rolled_to) {
  History& history = histories_[monitor];
  auto newest = history.end(), newest_rolled = history.end();
  for (auto it = history.begin(); rolled_to.has_value() && it != history.end(); ++it) {
    const HeartbeatKind kind = it->second.heartbeat.kind;
    if (kind != HeartbeatKind::kUp && kind != HeartbeatKind::kDown) continue;
    newest = it;
    if (it->first.first < *rolled_to) newest_rolled = it;
  }
  for (auto it = history.begin(); it != history.end() && it->first.first < before;) {
    it = it == newest || it == newest_rolled ? std::next(it) : history.erase(it);
  }
  if (history.empty()) histories_.erase(monitor);
}

void Tables::EraseUnwatched(MonitorKey monitor, absl::Time before) {
  std::vector<Interval>& unwatched = unwatched_[monitor];
  std::erase_if(unwatched, [&](const Interval& interval) { return interval.end < before; });
  if (unwatched.empty()) unwatched_.erase(monitor);
}

void Tables::SetIncident(IncidentKey key, std::optional<Incident> incident) {
  const std::optional<Incident> after = incident;
  std::optional<Incident> before = Put(incidents_, key, std::move(incident));
  if (before && !before->closed_at) open_incidents_.erase(before->monitor);
  if (after && !after->closed_at) open_incidents_[after->monitor] = key;
  OnUndo([this, key, before = std::move(before)] { SetIncident(key, before); });
}

void Tables::SetEvent(EventKey key, std::optional<EventRow> row) {
  if (row && row->event.type == EventType::kFiring) firings_[row->event.incident.key] = key;
  const bool removed = !row.has_value();
  std::optional<EventRow> before = Put(events_, key, std::move(row));
  if (before && removed && before->event.type == EventType::kFiring) {
    firings_.erase(before->event.incident.key);
  }
  OnUndo([this, key, before = std::move(before)] { SetEvent(key, before); });
}

void Tables::IndexDelivery(const Delivery& delivery, bool add) {
  if (add) {
    delivery_ids_[delivery.id] = delivery.key;
    for (const EventKey event : delivery.events) event_deliveries_.insert({event, delivery.key});
  } else {
    delivery_ids_.erase(delivery.id);
    for (const EventKey event : delivery.events) {
      const auto [first, last] = event_deliveries_.equal_range(event);
      const auto found = std::find_if(
          first, last, [&](const auto& entry) { return entry.second == delivery.key; });
      if (found != last) event_deliveries_.erase(found);
    }
  }
  if (delivery.state != DeliveryState::kPending) return;
  const std::pair<absl::Time, DeliveryKey> due = {delivery.next_attempt_at, delivery.key};
  std::set<std::pair<int64_t, DeliveryKey>>& order = order_[{delivery.channel, delivery.monitor}];
  if (add) {
    pending_[delivery.channel].insert(due);
    if (!delivery.redelivery) order.insert({delivery.sequence, delivery.key});
  } else {
    pending_[delivery.channel].erase(due);
    if (!delivery.redelivery) order.erase({delivery.sequence, delivery.key});
    if (pending_[delivery.channel].empty()) pending_.erase(delivery.channel);
  }
  if (order.empty()) order_.erase({delivery.channel, delivery.monitor});
}

void Tables::SetDelivery(DeliveryKey key, std::optional<DeliveryRow> row) {
  if (const auto found = deliveries_.find(key); found != deliveries_.end()) {
    IndexDelivery(found->second.delivery, /*add=*/false);
  }
  if (row) IndexDelivery(row->delivery, /*add=*/true);
  std::optional<DeliveryRow> before = Put(deliveries_, key, std::move(row));
  OnUndo([this, key, before = std::move(before)] { SetDelivery(key, before); });
}

void Tables::SetMaintenance(MaintenanceKey key, std::optional<Maintenance> maintenance) {
  std::optional<Maintenance> before = Put(maintenances_, key, std::move(maintenance));
  OnUndo([this, key, before = std::move(before)] { SetMaintenance(key, before); });
}

void Tables::SetWake(int64_t key, std::optional<WakeRow> wake) {
  std::optional<WakeRow> before = Put(wakes_, key, std::move(wake));
  OnUndo([this, key, before = std::move(before)] { SetWake(key, before); });
}

void Tables::SetPassed(const PassedPlace& place, std::optional<PassedDeadline> passed) {
  std::optional<PassedDeadline> before = Put(passed_, place, std::move(passed));
  OnUndo([this, place, before = std::move(before)] { SetPassed(place, before); });
}

void Tables::SetRejected(const RejectedPlace& place, std::optional<RejectedPush> rejected) {
  std::optional<RejectedPush> before = Put(rejected_, place, std::move(rejected));
  OnUndo([this, place, before = std::move(before)] { SetRejected(place, before); });
}

void Tables::SetEndedRun(const RunPlace& place, std::optional<absl::Time> ended_at) {
  const std::optional<absl::Time> before = Put(ended_runs_, place, ended_at);
  OnUndo([this, place, before] { SetEndedRun(place, before); });
}

void Tables::SetChannel(ChannelKey key, std::optional<ChannelRow> row) {
  std::optional<ChannelRow> before = Put(channels_, key, std::move(row));
  OnUndo([this, key, before = std::move(before)] { SetChannel(key, before); });
}

void Tables::SetProject(ProjectKey key, std::optional<ProjectRow> row) {
  const std::optional<ProjectRow> after = row;
  std::optional<ProjectRow> before = Put(project_rows_, key, std::move(row));
  if (before && !before->deleted) project_ids_.erase(before->project.id);
  if (after && !after->deleted) project_ids_[after->project.id] = key;
  OnUndo([this, key, before = std::move(before)] { SetProject(key, before); });
}

void Tables::SetKey(ApiKeyKey key, std::optional<ApiKey> row) {
  std::optional<ApiKey> before = Put(keys_, key, std::move(row));
  OnUndo([this, key, before = std::move(before)] { SetKey(key, before); });
}

void Tables::SetSecret(const SecretHash& hash, std::optional<SecretRow> row) {
  std::optional<SecretRow> before = Put(secrets_, hash, std::move(row));
  OnUndo([this, hash, before = std::move(before)] { SetSecret(hash, before); });
}

void Tables::SetTouch(const std::string& instance, std::optional<Touch> touch) {
  std::optional<Touch> before = Put(touches_, instance, std::move(touch));
  OnUndo([this, instance, before = std::move(before)] { SetTouch(instance, before); });
}

void Tables::SetToldSilence(absl::Time since, std::optional<ToldSilence> told) {
  std::optional<ToldSilence> before = Put(told_silences_, since, std::move(told));
  OnUndo([this, since, before] { SetToldSilence(since, before); });
}

void Tables::SetGap(int64_t key, std::optional<GapRow> row) {
  std::optional<GapRow> before = Put(gaps_, key, std::move(row));
  OnUndo([this, key, before] { SetGap(key, before); });
}

void Tables::SetRequest(const RequestPlace& place, std::optional<RequestRecord> record) {
  std::optional<RequestRecord> before = Put(requests_, place, std::move(record));
  OnUndo([this, place, before = std::move(before)] { SetRequest(place, before); });
}

void Tables::SetAudit(AuditPlace place, std::optional<AuditRecord> record) {
  std::optional<AuditRecord> before = Put(audit_, place, std::move(record));
  OnUndo([this, place, before = std::move(before)] { SetAudit(place, before); });
}

const std::string& Tables::ProjectId(ProjectKey key) const {
  static const std::string& none = *new std::string;
  const auto found = project_rows_.find(key);
  return found == project_rows_.end() ? none : found->second.project.id;
}

const Tables::History& Tables::HistoryOf(MonitorKey monitor) const {
  static const History& none = *new History;
  const auto found = histories_.find(monitor);
  return found == histories_.end() ? none : found->second;
}

const std::vector<Interval>& Tables::UnwatchedOf(MonitorKey monitor) const {
  static const std::vector<Interval>& none = *new std::vector<Interval>;
  const auto found = unwatched_.find(monitor);
  return found == unwatched_.end() ? none : found->second;
}

std::vector<DeliveryKey> Tables::QueueOf(ChannelKey channel, MonitorKey monitor) const {
  std::vector<DeliveryKey> queue;
  const auto order = order_.find({channel, monitor});
  if (order == order_.end()) return queue;
  for (const auto& [sequence, key] : order->second) queue.push_back(key);
  return queue;
}

bool Tables::MustWait(const Delivery& delivery) const {
  if (delivery.redelivery || delivery.monitor == 0) return false;
  const auto order = order_.find({delivery.channel, delivery.monitor});
  return order != order_.end() && order->second.begin()->first < delivery.sequence;
}

void Tables::ReleaseBacklog(ChannelKey channel, absl::Time now) {
  const auto pending = pending_.find(channel);
  if (pending == pending_.end()) return;
  std::vector<DeliveryKey> waiting;
  for (const auto& [due, key] : pending->second) {
    const DeliveryRow& row = deliveries_.at(key);
    const bool was_tried = row.leased_at != absl::InfinitePast() && row.leased_at < now;
    if (due > now && was_tried && row.delivery.told_by.empty()) waiting.push_back(key);
  }
  for (const DeliveryKey key : waiting) {
    DeliveryRow row = deliveries_.at(key);
    row.delivery.next_attempt_at = now;
    SetDelivery(key, std::move(row));
  }
}

Monitor Tables::MonitorAt(MonitorKey key) const {
  Monitor monitor = {.definition = definitions_.at(key), .state = states_.at(key).state};
  if (const auto open = open_incidents_.find(key); open != open_incidents_.end()) {
    monitor.state.incident = incidents_.at(open->second);
  }
  return monitor;
}

std::optional<Heartbeat> Tables::NewestHeartbeat(MonitorKey key, absl::Time until) const {
  const History& history = HistoryOf(key);
  for (auto it = history.rbegin(); it != history.rend(); ++it) {
    const HeartbeatKind kind = it->second.heartbeat.kind;
    if (it->second.heartbeat.at > until) continue;
    if (kind == HeartbeatKind::kUp || kind == HeartbeatKind::kDown) return it->second.heartbeat;
  }
  return std::nullopt;
}

}  // namespace tocsin::core::memory
