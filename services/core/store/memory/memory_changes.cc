// A store that forgets everything when it ends: what is kept of changes that people make.
#include <iterator>
#include <vector>

#include "services/core/store/memory/memory_store.h"
#include "services/core/store/memory/memory_transaction.h"

namespace tocsin::core {

absl::Status memory::MemoryTransaction::AddAudit(const AuditRecord& record) {
  tables_.SetAudit({record.at, tables_.Draw()}, record);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<RequestRecord>> memory::MemoryTransaction::ClaimRequest(
    const RequestRecord& record, absl::Time after) {
  const RequestPlace place = {record.actor, record.method, record.id};
  const auto found = tables_.requests().find(place);
  if (found != tables_.requests().end() && found->second.at > after) return found->second;
  tables_.SetRequest(place, record);
  return std::nullopt;
}

absl::Status memory::MemoryTransaction::SaveRequest(const RequestRecord& record) {
  const RequestPlace place = {record.actor, record.method, record.id};
  RequestRecord saved = tables_.requests().at(place);
  saved.version = record.version;
  tables_.SetRequest(place, std::move(saved));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<AuditView>> MemoryStore::ListAudit(const AuditQuery& query) {
  absl::MutexLock lock(&mutex_);
  std::vector<AuditView> views;
  const auto& audit = tables_.audit();
  for (auto it = std::make_reverse_iterator(audit.lower_bound({query.before, query.before_key}));
       it != audit.rend() && static_cast<int>(views.size()) < query.limit; ++it) {
    const auto& [place, record] = *it;
    if ((query.project && *query.project != record.project) ||
        (!query.resource.empty() && query.resource != record.resource) ||
        (!query.actor.empty() && query.actor != record.caller.actor) || record.at < query.start ||
        record.at >= query.end) {
      continue;
    }
    views.push_back({.key = place.second, .record = record});
  }
  return views;
}

void MemoryStore::DropOldChanges(const RetentionPolicy& policy, absl::Time now) {
  std::vector<memory::AuditPlace> old;
  for (const auto& [place, record] : tables_.audit()) {
    if (record.at >= now - policy.audit) break;
    old.push_back(place);
  }
  for (const memory::AuditPlace& place : old) tables_.SetAudit(place, std::nullopt);
  std::vector<memory::RequestPlace> forgotten;
  for (const auto& [place, record] : tables_.requests()) {
    if (record.at <= now - kRequestMemory) forgotten.push_back(place);
  }
  for (const memory::RequestPlace& place : forgotten) tables_.SetRequest(place, std::nullopt);
}

}  // namespace tocsin::core
