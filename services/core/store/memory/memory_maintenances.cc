// A store that forgets everything when it ends: maintenances.
#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "services/core/store/memory/memory_store.h"
#include "services/core/store/memory/memory_transaction.h"

namespace tocsin::core {
namespace memory {
namespace {

Maintenance WithContext(const Tables& tables, Maintenance maintenance) {
  maintenance.project_id = tables.ProjectId(maintenance.project);
  return maintenance;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Maintenances>> MemoryTransaction::ReadMaintenances() {
  auto all = std::make_shared<Maintenances>();
  for (const auto& [key, maintenance] : tables_.maintenances()) {
    all->push_back(WithContext(tables_, maintenance));
  }
  return all;
}

absl::StatusOr<std::optional<Maintenance>> MemoryTransaction::LockMaintenance(
    ProjectKey project, MaintenanceKind kind, const std::string& id) {
  for (const auto& [key, maintenance] : tables_.maintenances()) {
    if (maintenance.project == project && maintenance.kind == kind && maintenance.id == id &&
        !maintenance.deleted_at.has_value()) {
      return WithContext(tables_, maintenance);
    }
  }
  return std::nullopt;
}

absl::StatusOr<int64_t> MemoryTransaction::CountMaintenances(ProjectKey project,
                                                             MaintenanceKind kind, absl::Time now) {
  const auto counts = [&](const auto& entry) {
    const Maintenance& maintenance = entry.second;
    return maintenance.project == project && maintenance.kind == kind &&
           !maintenance.deleted_at.has_value() &&
           (maintenance.recurring.has_value() || maintenance.end > now);
  };
  return std::count_if(tables_.maintenances().begin(), tables_.maintenances().end(), counts);
}

absl::StatusOr<Maintenance> MemoryTransaction::InsertMaintenance(const Maintenance& maintenance) {
  for (const auto& [key, other] : tables_.maintenances()) {
    if (other.project == maintenance.project && other.kind == maintenance.kind &&
        other.id == maintenance.id && !other.deleted_at.has_value() &&
        !maintenance.deleted_at.has_value()) {
      return absl::AlreadyExistsError("the project has a maintenance with that id");
    }
  }
  Maintenance made = maintenance;
  made.key = tables_.Draw();
  made.version = tables_.Draw();
  tables_.SetMaintenance(made.key, made);
  return made;
}

absl::StatusOr<int64_t> MemoryTransaction::SaveMaintenance(const Maintenance& maintenance) {
  if (!tables_.maintenances().contains(maintenance.key)) {
    return absl::NotFoundError("no such maintenance");
  }
  Maintenance saved = maintenance;
  saved.version = tables_.Draw();
  const int64_t version = saved.version;
  tables_.SetMaintenance(maintenance.key, std::move(saved));
  return version;
}

absl::Status MemoryTransaction::DeleteMaintenance(MaintenanceKey maintenance) {
  tables_.SetMaintenance(maintenance, std::nullopt);
  return absl::OkStatus();
}

absl::Status MemoryTransaction::NoteWake(ProjectKey project,
                                         absl::Span<const std::string> monitors) {
  tables_.SetWake(tables_.Draw(),
                  WakeRow{.project = project, .monitors = {monitors.begin(), monitors.end()}});
  return absl::OkStatus();
}

}  // namespace memory

// One lock holds all, so there is nobody to leave anything to, and nothing to do in parts.
absl::StatusOr<bool> MemoryStore::WakeSweeps(int /*most*/, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  if (tables_.wakes().empty()) return false;
  const auto [key, wake] = *tables_.wakes().begin();
  const std::set<std::string> named(wake.monitors.begin(), wake.monitors.end());
  tables_.Begin();
  for (const auto& [monitor, definition] : tables_.definitions()) {
    if (definition.project != wake.project || definition.deleted_at.has_value()) continue;
    if (!named.empty() && !named.contains(definition.id)) continue;
    memory::StateRow row = tables_.states().at(monitor);
    if (row.sweep_at <= now || row.sweep_at == absl::InfiniteFuture()) continue;
    row.sweep_at = now;
    tables_.SetState(monitor, std::move(row));
  }
  tables_.SetWake(key, std::nullopt);
  tables_.Commit();
  Announce({.sweep = true});
  return true;
}

absl::StatusOr<std::vector<Maintenance>> MemoryStore::ListMaintenances(
    const MaintenanceQuery& query) {
  absl::MutexLock lock(&mutex_);
  std::vector<Maintenance> listed;
  for (const auto& [key, maintenance] : tables_.maintenances()) {
    if (maintenance.project != query.project || maintenance.id <= query.after_id) continue;
    if (maintenance.deleted_at.has_value() && !query.with_deleted) continue;
    if (query.kind.has_value() && maintenance.kind != *query.kind) continue;
    if (maintenance.kind == MaintenanceKind::kMute && query.mutes_open_after.has_value() &&
        maintenance.end <= *query.mutes_open_after) {
      continue;
    }
    listed.push_back(memory::WithContext(tables_, maintenance));
  }
  std::sort(listed.begin(), listed.end(),
            [](const Maintenance& a, const Maintenance& b) { return a.id < b.id; });
  if (listed.size() > static_cast<size_t>(query.limit)) listed.resize(query.limit);
  return listed;
}

}  // namespace tocsin::core
