// A store that forgets everything when it ends: leases of deliveries and what is reported of them.
#include <algorithm>
#include <map>
#include <tuple>

#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

template <typename Key>
void Deduplicate(std::vector<Key>& keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
}

}  // namespace

std::optional<LeasedDelivery> MemoryStore::Lease(DeliveryKey key, const LeaseRequest& request) {
  memory::DeliveryRow row = tables_.deliveries().at(key);
  row.delivery.attempts += 1;
  row.delivery.lease_id = request.lease_id;
  row.leased_at = request.now;
  row.delivery.leased_until = request.now + request.lease;
  LeasedDelivery leased;
  leased.delivery = row.delivery;
  leased.channel = tables_.channels().at(row.delivery.channel).channel;
  DropOldSecrets(leased.channel, request.now);
  for (const EventKey event : row.delivery.events) {
    const auto found = tables_.events().find(event);
    if (found == tables_.events().end()) continue;
    leased.events.push_back(found->second.event);
    const auto open = tables_.open_incidents().find(found->second.event.monitor);
    leased.incident_open |=
        open != tables_.open_incidents().end() &&
        (!row.delivery.redelivery || open->second == found->second.event.incident.key);
  }
  tables_.SetDelivery(key, std::move(row));
  return leased;
}

absl::StatusOr<std::vector<LeasedDelivery>> MemoryStore::LeaseDeliveries(
    const LeaseRequest& request) {
  absl::MutexLock lock(&mutex_);
  tables_.Begin();
  Gather(request.now);
  // One from each channel, then a second one from each, and so on.
  std::vector<std::tuple<int, absl::Time, DeliveryKey>> candidates;
  for (const auto& [channel_key, pending] : tables_.pending()) {
    const auto channel = tables_.channels().find(channel_key);
    if (channel == tables_.channels().end() || channel->second.deleted ||
        channel->second.channel.disabled_at) {
      continue;
    }
    int free = request.per_channel;
    if (channel->second.channel.failing_since) {
      free = request.per_failing_channel;
    } else if (const auto known = request.allowances.find(channel_key);
               known != request.allowances.end()) {
      free = known->second;
    }
    for (const auto& [due, key] : pending) {
      const Delivery& delivery = tables_.deliveries().at(key).delivery;
      free -= delivery.told_by.empty() && delivery.leased_until > request.now;
    }
    int turn = 0;
    for (const auto& [due, key] : pending) {
      if (due > request.now || turn >= free) break;
      const Delivery& delivery = tables_.deliveries().at(key).delivery;
      if (delivery.leased_until > request.now || delivery.may_gather ||
          tables_.MustWait(delivery)) {
        continue;
      }
      candidates.push_back({++turn, due, key});
    }
  }
  std::sort(candidates.begin(), candidates.end());
  if (static_cast<int>(candidates.size()) > request.limit) {
    candidates.resize(std::max(request.limit, 0));
  }
  std::vector<LeasedDelivery> leased;
  for (const auto& [turn, due, key] : candidates) leased.push_back(*Lease(key, request));
  tables_.Commit();
  return leased;
}

std::vector<Delivery> MemoryStore::ToldBy(const Delivery& digest) const {
  std::vector<Delivery> told;
  for (const auto& [key, row] : tables_.deliveries()) {
    if (row.delivery.told_by == digest.id) told.push_back(row.delivery);
  }
  return told;
}

// Another may be sending it until then.
void MemoryStore::HoldFollowers(const Delivery& finished, absl::Time until) {
  std::vector<DeliveryKey> waiting;
  for (const auto& [key, row] : tables_.deliveries()) {
    const Delivery& other = row.delivery;
    if (other.state == DeliveryState::kPending && other.monitor == finished.monitor &&
        other.monitor != 0 && other.channel == finished.channel && !other.redelivery &&
        other.sequence > finished.sequence && other.next_attempt_at < until) {
      waiting.push_back(key);
    }
  }
  for (const DeliveryKey key : waiting) {
    memory::DeliveryRow row = tables_.deliveries().at(key);
    row.delivery.next_attempt_at = until;
    tables_.SetDelivery(key, std::move(row));
  }
}

void MemoryStore::Apply(DeliveryReport report, absl::Time now, ReportEffects& effects) {
  const auto found = tables_.delivery_ids().find(report.delivery_id);
  if (found == tables_.delivery_ids().end()) return;
  memory::DeliveryRow row = tables_.deliveries().at(found->second);
  Delivery& delivery = row.delivery;
  const bool held = !report.lease_id.empty() && delivery.lease_id == report.lease_id;
  const bool held_by_another = !held && !delivery.lease_id.empty() && delivery.leased_until > now;
  const bool delivered = report.result == DeliveryResult::kDelivered;
  if (delivery.state != DeliveryState::kPending || (!held && !delivered)) return;
  const absl::Time leased_until = delivery.leased_until;
  const bool holds_followers =
      held_by_another && leased_until < absl::InfiniteFuture() && !delivery.redelivery;

  delivery.lease_id.clear();
  delivery.leased_until = absl::InfinitePast();
  delivery.last_outcome = report.outcome;
  delivery.last_http_status = report.http_status;
  delivery.last_answer = report.answer;
  memory::ChannelRow channel = tables_.channels().at(delivery.channel);
  const bool of_another_url =
      channel.channel.url_set_at.has_value() && row.leased_at < *channel.channel.url_set_at;
  if (of_another_url) report = OfAnotherUrl(std::move(report));
  const bool was_failing = channel.channel.failing_since.has_value();
  switch (report.result) {
    case DeliveryResult::kDelivered:
      delivery.state = DeliveryState::kDelivered;
      if (!of_another_url) channel.channel.failing_since.reset();
      break;
    case DeliveryResult::kGone:
    case DeliveryResult::kDead:
      delivery.state = DeliveryState::kDead;
      break;
    case DeliveryResult::kDeferred:
      delivery.attempts = std::max(delivery.attempts - 1, 0);
      delivery.next_attempt_at = now + report.retry_after;
      break;
    case DeliveryResult::kRetry:
      delivery.next_attempt_at = now + report.retry_after;
      break;
  }
  if (delivery.state == DeliveryState::kPending && delivery.next_attempt_at > delivery.expires_at) {
    delivery.state = DeliveryState::kDead;
  }
  if (delivery.state != DeliveryState::kPending) delivery.finished_at = now;
  if (delivery.state == DeliveryState::kDead) {
    effects.with_dead.push_back(delivery.channel);
    effects.projects.push_back(delivery.project);
  }
  const ChannelKey channel_key = delivery.channel;
  const Delivery digest = delivery;
  tables_.SetDelivery(found->second, std::move(row));
  if (digest.type == DeliveryType::kDigest && digest.state != DeliveryState::kPending) {
    FollowDigest(digest);
  }
  if (holds_followers) {
    HoldFollowers(digest, leased_until);
    for (const Delivery& told : ToldBy(digest)) HoldFollowers(told, leased_until);
  }

  if (of_another_url) return;
  if (!delivered && report.result != DeliveryResult::kDeferred) {
    channel.channel.last_error = report.outcome;
    if (!was_failing) channel.channel.failing_since = now;
  }
  if (report.result == DeliveryResult::kGone && !channel.channel.disabled_at) {
    channel.channel.disabled_at = now;
    channel.channel.disable_reason = report.outcome;
    effects.disabled.push_back(channel_key);
  }
  tables_.SetChannel(channel_key, std::move(channel));
  if (delivered && was_failing) {
    effects.recovered.push_back(channel_key);
    tables_.ReleaseBacklog(channel_key, now);
  }
}

absl::StatusOr<ReportEffects> MemoryStore::ApplyReports(absl::Span<const DeliveryReport> reports,
                                                        absl::Time now) {
  absl::MutexLock lock(&mutex_);
  tables_.Begin();
  ReportEffects effects;
  for (const DeliveryReport& report : reports) Apply(report, now, effects);
  tables_.Commit();
  for (std::vector<ChannelKey>* keys :
       {&effects.disabled, &effects.recovered, &effects.with_dead}) {
    Deduplicate(*keys);
  }
  Deduplicate(effects.projects);
  // Whoever waited for one of these may be due.
  if (!reports.empty()) Announce({.deliveries = true});
  return effects;
}

absl::StatusOr<absl::Time> MemoryStore::NextDeliveryAt() {
  absl::MutexLock lock(&mutex_);
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [channel_key, pending] : tables_.pending()) {
    const auto channel = tables_.channels().find(channel_key);
    if (channel == tables_.channels().end() || channel->second.deleted ||
        channel->second.channel.disabled_at) {
      continue;
    }
    for (const auto& [due, key] : pending) {
      if (due >= next) break;
      const Delivery& delivery = tables_.deliveries().at(key).delivery;
      if (tables_.MustWait(delivery)) continue;
      absl::Time at = std::max(due, delivery.leased_until);
      if (const auto window = gather_windows_.find(channel_key);
          delivery.may_gather && window != gather_windows_.end()) {
        at = std::max(at, GatheredUntil(channel->second.channel, window->second));
      }
      next = std::min(next, at);
    }
  }
  return next;
}

}  // namespace tocsin::core
