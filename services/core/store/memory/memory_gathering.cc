// A store that forgets everything when it ends: storms of alerts, see domain/gathering.h.
#include <algorithm>

#include "services/core/store/memory/memory_store.h"
#include "services/core/store/new_delivery.h"

namespace tocsin::core {

std::vector<DeliveryKey> MemoryStore::Gatherable(ChannelKey channel, absl::Time now) const {
  std::vector<DeliveryKey> waiting;
  const auto pending = tables_.pending().find(channel);
  if (pending == tables_.pending().end()) return waiting;
  for (const auto& [due, key] : pending->second) {
    if (due > now) break;
    const Delivery& delivery = tables_.deliveries().at(key).delivery;
    if (delivery.may_gather && !tables_.MustWait(delivery)) waiting.push_back(key);
  }
  return waiting;
}

void MemoryStore::MakeDigest(const Channel& channel, const std::vector<DeliveryKey>& waiting,
                             absl::Time now) {
  Delivery digest = NewDelivery(channel.project, DeliveryType::kDigest, now);
  digest.channel = channel.key;
  DigestCounter counter;
  std::vector<EventKey> events;
  for (const DeliveryKey key : waiting) {
    memory::DeliveryRow row = tables_.deliveries().at(key);
    // The beginning of an incident that is over by now would be told as one that lasts.
    if (!row.delivery.events.empty()) events.push_back(row.delivery.events.back());
    row.delivery.may_gather = false;
    row.delivery.told_by = row.delivery.lease_id = digest.id;
    row.delivery.leased_until = absl::InfiniteFuture();
    tables_.SetDelivery(key, std::move(row));
  }
  std::sort(events.begin(), events.end());
  for (const EventKey key : events) {
    const auto found = tables_.events().find(key);
    if (found == tables_.events().end()) continue;
    counter.Add(found->second.event.type, found->second.event.incident.cause);
    if (digest.events.size() < kNamedInDigest) digest.events.push_back(key);
  }
  digest.digest = counter.Facts();
  digest.key = tables_.Draw();
  const DeliveryKey key = digest.key;
  tables_.SetDelivery(key, memory::DeliveryRow{.delivery = std::move(digest)});
}

void MemoryStore::Gather(absl::Time now) {
  for (const auto& [channel_key, row] : tables_.channels()) {
    if (row.deleted || row.channel.disabled_at) continue;
    std::vector<DeliveryKey> waiting = Gatherable(channel_key, now);
    if (waiting.empty()) continue;
    GatherWindow& window = gather_windows_[channel_key];
    const GatherPlan plan =
        PlanGathering(row.channel, window, static_cast<int32_t>(waiting.size()), now);
    window = plan.window;
    if (plan.digest) {
      waiting.resize(std::min<size_t>(waiting.size(), kMaxGathered));
      MakeDigest(row.channel, waiting, now);
      continue;
    }
    waiting.resize(plan.release);
    for (const DeliveryKey key : waiting) {
      memory::DeliveryRow released = tables_.deliveries().at(key);
      released.delivery.may_gather = false;
      tables_.SetDelivery(key, std::move(released));
    }
  }
}

void MemoryStore::FollowDigest(const Delivery& digest) {
  std::vector<DeliveryKey> told;
  for (const auto& [key, row] : tables_.deliveries()) {
    const bool revived =
        row.delivery.state == DeliveryState::kDead && digest.state == DeliveryState::kDelivered;
    if (row.delivery.told_by == digest.id &&
        (row.delivery.state == DeliveryState::kPending || revived)) {
      told.push_back(key);
    }
  }
  for (const DeliveryKey key : told) {
    memory::DeliveryRow row = tables_.deliveries().at(key);
    Delivery& delivery = row.delivery;
    delivery.state = digest.state;
    delivery.attempts = digest.attempts;
    delivery.finished_at = digest.finished_at;
    delivery.last_outcome = digest.last_outcome;
    delivery.last_http_status = digest.last_http_status;
    delivery.lease_id.clear();
    delivery.leased_until = absl::InfinitePast();
    tables_.SetDelivery(key, std::move(row));
  }
}

}  // namespace tocsin::core
