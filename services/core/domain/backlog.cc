// What a receiver is spared when too much waits for it.
#include "services/core/domain/backlog.h"

#include <algorithm>

namespace tocsin::core {
namespace {

bool Waits(const Delivery& delivery) { return delivery.lease_id.empty(); }

// A delivery of several events tells an incident from its FIRING on.
bool TellsFiring(const Delivery& delivery) {
  return delivery.type == DeliveryType::kIncidentOpened || delivery.events.size() > 1;
}

}  // namespace

std::optional<BacklogCut> CutBacklog(absl::Span<const Delivery> queue) {
  if (std::count_if(queue.begin(), queue.end(), Waits) <= kMostWaiting) return std::nullopt;
  const Delivery& newest = queue.back();
  const auto oldest_firing = std::find_if(queue.begin(), queue.end(), TellsFiring);
  BacklogCut cut = {
      .superseded = {}, .newest = newest.key, .skipped = newest.skipped, .at = newest.created_at};
  for (auto delivery = queue.begin(); delivery != queue.end(); ++delivery) {
    if (!Waits(*delivery) || delivery == oldest_firing || delivery->key == newest.key) continue;
    cut.superseded.push_back(delivery->key);
    cut.skipped += static_cast<int32_t>(delivery->events.size()) + delivery->skipped;
  }
  return cut;
}

}  // namespace tocsin::core
