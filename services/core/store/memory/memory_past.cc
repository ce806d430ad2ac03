// A store that forgets everything when it ends: what explains alerts, and their absence.
#include <algorithm>
#include <iterator>

#include "services/core/store/memory/memory_store.h"
#include "services/core/store/memory/memory_transaction.h"

namespace tocsin::core {
namespace {

bool OpensIncident(Reason reason) {
  return reason == Reason::kMissed || reason == Reason::kRunOverran;
}

// Takes from the newest on what `wanted` says, at most `limit`.
template <typename Map, typename Value, typename Wanted>
void TakeNewest(const Map& map, int limit, std::vector<Value>& taken, Wanted wanted) {
  for (auto it = map.rbegin(); it != map.rend() && static_cast<int>(taken.size()) < limit; ++it) {
    if (wanted(it->second)) taken.push_back(it->second);
  }
}

}  // namespace

namespace memory {

absl::Status MemoryTransaction::AddPassedDeadlines(absl::Span<const PassedDeadline> passed) {
  for (const PassedDeadline& each : passed) {
    tables_.SetPassed({each.monitor, each.at, tables_.Draw()}, each);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<PassedDeadline>> MemoryTransaction::FindPassedDeadline(
    MonitorKey monitor, absl::Time at) {
  std::optional<PassedDeadline> found;
  for (const auto& [place, passed] : tables_.passed()) {
    if (passed.monitor == monitor && passed.at == at && OpensIncident(passed.reason))
      found = passed;
  }
  return found;
}

absl::StatusOr<std::vector<std::optional<MonitorKey>>> MemoryTransaction::FindTokenOwners(
    absl::Span<const TokenHash> tokens) {
  std::vector<std::optional<MonitorKey>> owners;
  for (const TokenHash& token : tokens) {
    const auto found = tables_.tokens().find(token);
    owners.push_back(found == tables_.tokens().end() ? std::nullopt
                                                     : std::optional(found->second.monitor));
  }
  return owners;
}

absl::Status MemoryTransaction::AddRejectedPushes(absl::Span<const RejectedPush> rejected) {
  for (const RejectedPush& each : rejected) {
    const RejectedPlace place = {each.monitor, each.minute, each.reason, each.source};
    RejectedPush sum = each;
    const auto known = tables_.rejected().find(place);
    if (known != tables_.rejected().end()) {
      sum.count += known->second.count;
      sum.newest = std::max(sum.newest, known->second.newest);
    }
    tables_.SetRejected(place, std::move(sum));
  }
  for (const RejectedPush& each : rejected) {
    std::vector<RejectedPlace> places;
    const auto& all = tables_.rejected();
    for (auto it = all.lower_bound({each.monitor, absl::InfinitePast(), Rejection{}, ""});
         it != all.end() && std::get<0>(it->first) == each.monitor; ++it) {
      places.push_back(it->first);
    }
    const size_t most = kMaxRejectedRows;
    for (size_t i = 0; i + most < places.size(); ++i) tables_.SetRejected(places[i], std::nullopt);
  }
  return absl::OkStatus();
}

}  // namespace memory

absl::StatusOr<MonitorPast> MemoryStore::ReadPast(const PastQuery& query) {
  absl::MutexLock lock(&mutex_);
  const auto within = [&](absl::Time at) { return at >= query.start && at <= query.end; };
  MonitorPast past;
  TakeNewest(tables_.incidents(), query.limit, past.incidents, [&](const Incident& incident) {
    return incident.monitor == query.monitor && incident.opened_at <= query.end &&
           incident.closed_at.value_or(absl::InfiniteFuture()) >= query.start;
  });
  std::vector<memory::EventRow> events;
  TakeNewest(tables_.events(), query.limit, events, [&](const memory::EventRow& row) {
    return row.event.monitor == query.monitor && within(row.event.detected_at);
  });
  for (memory::EventRow& row : events) past.events.push_back(std::move(row.event));
  std::sort(past.events.begin(), past.events.end(),
            [](const AlertEvent& a, const AlertEvent& b) { return a.sequence > b.sequence; });
  std::vector<memory::DeliveryRow> deliveries;
  TakeNewest(tables_.deliveries(), query.limit, deliveries, [&](const memory::DeliveryRow& row) {
    return row.delivery.monitor == query.monitor && within(row.delivery.created_at);
  });
  for (const memory::DeliveryRow& row : deliveries) {
    past.deliveries.push_back(ViewOf(row.delivery));
  }
  TakeNewest(tables_.passed(), query.limit, past.passed, [&](const PassedDeadline& passed) {
    return passed.monitor == query.monitor && within(passed.at);
  });
  TakeNewest(tables_.rejected(), query.limit, past.rejected, [&](const RejectedPush& rejected) {
    return rejected.monitor == query.monitor && within(rejected.newest);
  });
  return past;
}

void MemoryStore::DropPast(MonitorKey monitor, absl::Time passed_before,
                           absl::Time rejected_before) {
  std::vector<memory::PassedPlace> passed;
  for (const auto& [place, each] : tables_.passed()) {
    const bool meant = monitor == 0 || monitor == each.monitor;
    if (meant && each.judged_at < passed_before) passed.push_back(place);
  }
  for (const memory::PassedPlace& place : passed) tables_.SetPassed(place, std::nullopt);
  std::vector<memory::RejectedPlace> rejected;
  for (const auto& [place, each] : tables_.rejected()) {
    const bool meant = monitor == 0 || monitor == each.monitor;
    if (meant && each.minute < rejected_before) rejected.push_back(place);
  }
  for (const memory::RejectedPlace& place : rejected) tables_.SetRejected(place, std::nullopt);
}

}  // namespace tocsin::core
