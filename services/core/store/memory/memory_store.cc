// A store that forgets everything when it ends: transactions, the fast path, and upkeep.
#include "services/core/store/memory/memory_store.h"

#include <algorithm>
#include <set>

#include "services/core/store/memory/memory_transaction.h"
#include "services/core/store/retention.h"

namespace tocsin::core {
namespace {

Heartbeat HeartbeatOf(const SteadyUp& up) {
  Heartbeat heartbeat;
  heartbeat.kind = HeartbeatKind::kUp;
  heartbeat.at = up.at;
  heartbeat.message = std::string(up.message);
  heartbeat.value = up.value;
  heartbeat.exit_status = up.exit_status;
  heartbeat.source = up.source;
  heartbeat.push_id = up.push_id;
  return heartbeat;
}

bool Any(const News& news) { return news.deliveries || news.sweep || news.events || news.keys; }

}  // namespace

MemoryStore::MemoryStore(const Clock& clock) : clock_(clock), projects_(tables_.projects()) {}

absl::StatusOr<std::vector<MonitorKey>> MemoryStore::RecordSteadyUps(
    int, absl::Span<const SteadyUp> newest, absl::Span<const SteadyUp> folded) {
  absl::MutexLock lock(&mutex_);
  tables_.Begin();
  std::vector<MonitorKey> recorded;
  for (const SteadyUp& up : newest) {
    const auto definition = tables_.definitions().find(up.monitor);
    if (definition == tables_.definitions().end() || definition->second.version != up.version) {
      continue;
    }
    memory::StateRow row = tables_.states().at(up.monitor);
    const Heartbeat heartbeat = HeartbeatOf(up);
    const bool repeated = up.push_id != 0 && row.last_push_id == up.push_id;
    if (repeated || !IsSteadyUp(definition->second, row.state, heartbeat)) continue;
    row.state.last_at = up.at;
    row.state.credit_at = absl::InfinitePast();
    row.state.last_kind = HeartbeatKind::kUp;
    row.state.last_source = up.source;
    row.last_push_id = up.push_id;
    tables_.SetState(up.monitor, std::move(row));
    tables_.AddHeartbeat({.monitor = up.monitor, .heartbeat = heartbeat});
    recorded.push_back(up.monitor);
  }
  for (const SteadyUp& up : folded) {
    if (std::binary_search(recorded.begin(), recorded.end(), up.monitor)) {
      tables_.AddHeartbeat({.monitor = up.monitor, .heartbeat = HeartbeatOf(up)});
    }
  }
  tables_.Commit();
  return recorded;
}

absl::Status MemoryStore::Transact(TransactionClass,
                                   absl::FunctionRef<absl::Status(Transaction&)> body) {
  absl::MutexLock lock(&mutex_);
  tables_.Begin();
  memory::MemoryTransaction transaction(tables_);
  const absl::Status status = body(transaction);
  if (!status.ok()) {
    tables_.Rollback();
    return status;
  }
  tables_.Commit();
  if (transaction.changed_projects()) {
    absl::MutexLock projects_lock(&projects_mutex_);
    projects_ = tables_.projects();
  }
  Announce(transaction.news());
  return status;
}

absl::StatusOr<int> MemoryStore::SequenceFeed(int limit) {
  absl::MutexLock lock(&mutex_);
  tables_.Begin();
  std::vector<EventKey> next;
  // Transactions run alone, so keys are in order of commit.
  for (auto it = tables_.events().upper_bound(last_fed_);
       it != tables_.events().end() && static_cast<int>(next.size()) < limit; ++it) {
    next.push_back(it->first);
  }
  for (const EventKey key : next) {
    memory::EventRow row = tables_.events().at(key);
    row.feed_position = ++feed_position_;
    tables_.SetEvent(key, std::move(row));
    feed_.push_back(key);
    last_fed_ = key;
  }
  tables_.Commit();
  return static_cast<int>(next.size());
}

absl::StatusOr<std::vector<FeedEntry>> MemoryStore::ReadFeed(ProjectKey project, int64_t after,
                                                             int64_t up_to, int limit) {
  absl::MutexLock lock(&mutex_);
  std::vector<FeedEntry> entries;
  for (int64_t position = std::max<int64_t>(after, 0) + 1;
       position <= std::min(up_to, feed_position_) && static_cast<int>(entries.size()) < limit;
       ++position) {
    const auto found = tables_.events().find(feed_[position - 1]);
    if (found == tables_.events().end()) continue;  // past its retention
    const AlertEvent& event = found->second.event;
    if (project != 0 && event.project != project) continue;
    entries.push_back({.position = position, .event = event});
  }
  return entries;
}

absl::StatusOr<FeedEnd> MemoryStore::ReadFeedEnd() {
  absl::MutexLock lock(&mutex_);
  return FeedEnd{.epoch = "memory", .position = feed_position_};
}

absl::StatusOr<absl::Time> MemoryStore::ReadDatabaseClock() { return clock_.Now(); }

void MemoryStore::Purge(MonitorKey monitor) {
  DropPast(monitor, absl::InfiniteFuture(), absl::InfiniteFuture());
  std::vector<TokenHash> tokens;
  for (const auto& [hash, row] : tables_.tokens()) {
    if (row.monitor == monitor) tokens.push_back(hash);
  }
  for (const TokenHash& hash : tokens) tables_.SetToken(hash, std::nullopt);
  std::vector<int64_t> keys;
  for (const auto& [key, row] : tables_.deliveries()) {
    if (row.delivery.monitor == monitor) keys.push_back(key);
  }
  for (const DeliveryKey key : keys) tables_.SetDelivery(key, std::nullopt);
  keys.clear();
  for (const auto& [key, row] : tables_.events()) {
    if (row.event.monitor == monitor) keys.push_back(key);
  }
  for (const EventKey key : keys) tables_.SetEvent(key, std::nullopt);
  keys.clear();
  for (const auto& [key, incident] : tables_.incidents()) {
    if (incident.monitor == monitor) keys.push_back(key);
  }
  for (const IncidentKey key : keys) tables_.SetIncident(key, std::nullopt);
  tables_.EraseHistory(monitor, absl::InfiniteFuture(), std::nullopt);
  tables_.EraseUnwatched(monitor, absl::InfiniteFuture());
  for (Rollups* rollups : {&hours_, &days_}) {
    std::erase_if(*rollups, [&](const auto& item) { return item.first.first == monitor; });
  }
  tables_.SetState(monitor, std::nullopt);
  tables_.SetDefinition(monitor, std::nullopt);
}

void MemoryStore::ExpireStranded(absl::Time now) {
  std::vector<DeliveryKey> late;
  for (const auto& [channel_key, pending] : tables_.pending()) {
    const auto channel = tables_.channels().find(channel_key);
    if (channel == tables_.channels().end()) continue;
    if (!channel->second.deleted && !channel->second.channel.disabled_at) continue;
    for (const auto& [due, key] : pending) {
      if (tables_.deliveries().at(key).delivery.expires_at < now) late.push_back(key);
    }
  }
  for (const DeliveryKey key : late) {
    memory::DeliveryRow row = tables_.deliveries().at(key);
    row.delivery.state = DeliveryState::kDead;
    row.delivery.finished_at = now;
    row.delivery.last_outcome = "expired";
    row.delivery.lease_id.clear();
    row.delivery.leased_until = absl::InfinitePast();
    tables_.SetDelivery(key, std::move(row));
  }
}

void MemoryStore::DropFinished(absl::Time before) {
  std::vector<int64_t> keys;
  // Whether the end of an incident will be told from it: of the one that is open, or whose end
  // waits until the monitor is steady.
  const auto is_needed = [this](MonitorKey monitor, absl::Time occurred_at) {
    const auto open = tables_.open_incidents().find(monitor);
    const auto state = tables_.states().find(monitor);
    return (open != tables_.open_incidents().end() &&
            tables_.incidents().at(open->second).opened_at <= occurred_at) ||
           (state != tables_.states().end() && state->second.state.untold_end.has_value());
  };
  for (const auto& [key, row] : tables_.deliveries()) {
    const Delivery& delivery = row.delivery;
    const bool kept = delivery.type == DeliveryType::kIncidentOpened &&
                      is_needed(delivery.monitor, delivery.occurred_at);
    if (delivery.finished_at && *delivery.finished_at < before && !kept) keys.push_back(key);
  }
  for (const DeliveryKey key : keys) tables_.SetDelivery(key, std::nullopt);
  keys.clear();
  std::set<EventKey> pending;
  for (const auto& [key, row] : tables_.deliveries()) {
    if (row.delivery.state != DeliveryState::kPending) continue;
    pending.insert(row.delivery.events.begin(), row.delivery.events.end());
  }
  for (const auto& [key, row] : tables_.events()) {
    const bool kept = pending.contains(key) || (row.event.type == EventType::kFiring &&
                                                IsOpenOrUntold(row.event.incident.key));
    if (row.feed_position != 0 && !kept && row.event.detected_at < before) keys.push_back(key);
  }
  for (const EventKey key : keys) tables_.SetEvent(key, std::nullopt);
  keys.clear();
  for (const auto& [key, incident] : tables_.incidents()) {
    if (!IsOpenOrUntold(key) && *incident.closed_at < before) keys.push_back(key);
  }
  for (const IncidentKey key : keys) tables_.SetIncident(key, std::nullopt);
}

bool MemoryStore::IsOpenOrUntold(IncidentKey key) const {
  const auto incident = tables_.incidents().find(key);
  if (incident == tables_.incidents().end()) return false;
  const auto state = tables_.states().find(incident->second.monitor);
  return !incident->second.closed_at ||
         (state != tables_.states().end() && state->second.state.untold_end == key);
}

void MemoryStore::DropGaps(absl::Time before) {
  std::vector<int64_t> keys;
  for (const auto& [key, row] : tables_.gaps()) {
    if (row.gap.end < before) keys.push_back(key);
  }
  for (const int64_t key : keys) tables_.SetGap(key, std::nullopt);
  while (tables_.told_silences().size() > 1 && tables_.told_silences().begin()->first < before) {
    tables_.SetToldSilence(tables_.told_silences().begin()->first, std::nullopt);
  }
}

absl::StatusOr<bool> MemoryStore::Maintain(const RetentionPolicy& policy, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  RollUpHistory(policy.rollups, now);
  tables_.Begin();
  std::vector<MonitorKey> gone;
  // Whole days go, as partitions do.
  const absl::Time cutoff = DayOf(std::min(now - policy.heartbeats, rolled_.hours));
  for (const auto& [key, definition] : tables_.definitions()) {
    tables_.EraseHistory(key, cutoff, rolled_.hours);
    tables_.EraseUnwatched(key, now - UnwatchedMemory(policy));
    if (definition.deleted_at && *definition.deleted_at < now - policy.deleted_monitors) {
      gone.push_back(key);
    }
  }
  for (const MonitorKey key : gone) Purge(key);
  ForgetKeys(now - policy.revoked_keys);
  ExpireStranded(now);
  for (const auto& [key, row] : std::map(tables_.channels())) {
    memory::ChannelRow kept = row;
    DropOldSecrets(kept.channel, now);
    tables_.SetChannel(key, std::move(kept));
  }
  DropFinished(now - AlertMemory(policy));
  DropGaps(now - GapMemory(policy));
  DropPast(0, now - policy.heartbeats, now - policy.rejected_pushes);
  DropOldChanges(policy, now);
  ForgetRuns(now - kRunMemory);
  tables_.Commit();
  return false;
}

void MemoryStore::ForgetRuns(absl::Time before) {
  std::vector<memory::RunPlace> old;
  for (const auto& [place, ended_at] : tables_.ended_runs()) {
    if (ended_at < before) old.push_back(place);
  }
  for (const memory::RunPlace& place : old) tables_.SetEndedRun(place, std::nullopt);
}

void MemoryStore::Announce(const News& news) {
  news_.deliveries |= news.deliveries;
  news_.sweep |= news.sweep;
  news_.events |= news.events;
  news_.keys |= news.keys;
}

News MemoryStore::WaitForNews(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const auto arrived = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return Any(news_) || stop_waiting_;
  };
  mutex_.AwaitWithTimeout(absl::Condition(&arrived), timeout);
  stop_waiting_ = false;
  const News news = news_;
  news_ = News();
  return news;
}

void MemoryStore::StopWaiting() {
  absl::MutexLock lock(&mutex_);
  stop_waiting_ = true;
}

}  // namespace tocsin::core
