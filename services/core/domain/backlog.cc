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

// A delivery of one RESOLVED ends what another one tells.
bool EndsOther(const Delivery& delivery) {
  return delivery.type == DeliveryType::kIncidentResolved && delivery.events.size() == 1;
}

}  // namespace

std::optional<BacklogCut> CutBacklog(absl::Span<const Delivery> queue, bool knows_incidents) {
  if (queue.empty()) return std::nullopt;
  const Delivery& newest = queue.back();
  const auto overtaken = [&newest](const Delivery& delivery) {
    return Waits(delivery) && delivery.type == DeliveryType::kIncidentReminder &&
           delivery.key != newest.key;
  };
  const bool too_many = std::count_if(queue.begin(), queue.end(), Waits) -
                            std::count_if(queue.begin(), queue.end(), overtaken) >
                        kMostWaiting;
  const auto oldest_firing = std::find_if(queue.begin(), queue.end(), TellsFiring);
  // Of what the receiver has heard of, and of what it is going to.
  const auto end_of_told = std::find_if(queue.begin(), oldest_firing, EndsOther);
  const auto end_of_oldest = std::find_if(oldest_firing, queue.end(), EndsOther);
  const auto kept = [&](auto delivery) {
    return delivery == oldest_firing ||
           (knows_incidents && (delivery == end_of_told || delivery == end_of_oldest));
  };
  BacklogCut cut = {
      .superseded = {}, .newest = newest.key, .skipped = newest.skipped, .at = newest.created_at};
  for (auto delivery = queue.begin(); delivery != queue.end(); ++delivery) {
    if (!Waits(*delivery) || delivery->key == newest.key) continue;
    if (overtaken(*delivery)) {
      cut.skipped += delivery->skipped;
    } else if (too_many && !kept(delivery)) {
      cut.skipped += static_cast<int32_t>(delivery->events.size()) + delivery->skipped;
    } else {
      continue;
    }
    cut.superseded.push_back(delivery->key);
  }
  if (cut.superseded.empty()) return std::nullopt;
  return cut;
}

}  // namespace tocsin::core
