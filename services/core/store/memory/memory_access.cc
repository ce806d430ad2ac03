// A store that forgets everything when it ends: projects and keys.
#include <algorithm>
#include <tuple>
#include <utility>

#include "services/core/domain/names.h"
#include "services/core/store/memory/memory_store.h"
#include "services/core/store/memory/memory_transaction.h"

namespace tocsin::core {
namespace memory {
namespace {

// As it is read: with the project's name and the prefix of its newest secret.
ApiKey WithContext(const Tables& tables, ApiKey key) {
  key.project_id = key.project == 0 ? std::string(kAnyProject) : tables.ProjectId(key.project);
  int64_t newest = -1;
  for (const auto& [hash, row] : tables.secrets()) {
    if (row.key != key.key || row.order <= newest) continue;
    newest = row.order;
    key.prefix = row.secret.prefix;
  }
  return key;
}

}  // namespace

absl::StatusOr<std::vector<TargetMatch>> MemoryTransaction::ResolveTargets(
    absl::Span<const PushTarget* const> targets, absl::Time now) {
  std::vector<TargetMatch> matches;
  for (const PushTarget* target : targets) {
    TargetMatch& match = matches.emplace_back();
    const auto secret = tables_.secrets().find(target->key);
    if (secret == tables_.secrets().end()) continue;
    const KeyMatch key = {.key = tables_.keys().at(secret->second.key),
                          .secret_expires_at = secret->second.secret.expires_at};
    if (key.key.role != Role::kPusher || key.EndsAt() <= now) continue;
    match.key = key.key.key;
    match.may_create = key.key.push.has_value() && key.key.push->may_create;
    const auto monitor = tables_.monitor_ids().find({key.key.project, target->monitor_id});
    if (monitor == tables_.monitor_ids().end()) continue;
    const MonitorDefinition& definition = tables_.definitions().at(monitor->second);
    match.deleted = definition.deleted_at.has_value();
    if (match.deleted) continue;
    match.monitor = TokenMatch{.monitor = definition.key,
                               .version = definition.version,
                               .expires_at = key.EndsAt(),
                               .project_id = definition.project_id,
                               .monitor_id = definition.id,
                               .has_value_bounds = HasValueBounds(definition)};
  }
  return matches;
}

absl::StatusOr<bool> MemoryTransaction::HoldProject(ProjectKey project) {
  const auto found = tables_.project_rows().find(project);
  return found != tables_.project_rows().end() && !found->second.deleted;
}

absl::StatusOr<std::optional<Project>> MemoryTransaction::LockProject(const std::string& id) {
  const auto found = tables_.projects().find(id);
  if (found == tables_.projects().end()) return std::nullopt;
  return tables_.project_rows().at(found->second).project;
}

absl::StatusOr<ProjectIdentity> MemoryTransaction::InsertProject(const Project& project) {
  if (tables_.projects().contains(project.id)) {
    return absl::AlreadyExistsError("there is a project with that id");
  }
  ProjectRow row = {.project = project};
  row.project.key = tables_.Draw();
  row.project.version = tables_.Draw();
  const ProjectIdentity identity = {.key = row.project.key, .version = row.project.version};
  tables_.SetProject(identity.key, std::move(row));
  changed_projects_ = true;
  return identity;
}

absl::StatusOr<int64_t> MemoryTransaction::SaveProject(const Project& project) {
  ProjectRow row = {.project = project};
  row.project.version = tables_.Draw();
  const int64_t version = row.project.version;
  tables_.SetProject(project.key, std::move(row));
  return version;
}

absl::StatusOr<bool> MemoryTransaction::IsInUse(ProjectKey project) {
  const bool monitors = std::any_of(
      tables_.definitions().begin(), tables_.definitions().end(), [&](const auto& entry) {
        return entry.second.project == project && !entry.second.deleted_at.has_value();
      });
  const bool channels =
      std::any_of(tables_.channels().begin(), tables_.channels().end(), [&](const auto& entry) {
        return entry.second.channel.project == project && !entry.second.deleted;
      });
  return monitors || channels;
}

absl::Status MemoryTransaction::DeleteProject(ProjectKey project, absl::Time now) {
  std::vector<ApiKey> ended;
  for (const auto& [key, row] : tables_.keys()) {
    if (row.project == project && !row.revoked_at.has_value()) ended.push_back(row);
  }
  for (ApiKey& key : ended) {
    key.revoked_at = key.updated_at = now;
    key.version = tables_.Draw();
    const ApiKeyKey at = key.key;
    tables_.SetKey(at, std::move(key));
  }
  ProjectRow row = tables_.project_rows().at(project);
  row.deleted = true;
  tables_.SetProject(project, std::move(row));
  news_.keys = true;
  changed_projects_ = true;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<ApiKey>> MemoryTransaction::LockKey(ProjectKey project,
                                                                 const std::string& id) {
  const ApiKey* best = nullptr;
  for (const auto& [key, row] : tables_.keys()) {
    if (row.project != project || row.id != id) continue;
    if (best == nullptr || !row.revoked_at.has_value() ||
        (best->revoked_at.has_value() && *row.revoked_at >= *best->revoked_at)) {
      best = &row;
    }
    if (!best->revoked_at.has_value()) break;
  }
  if (best == nullptr) return std::nullopt;
  return WithContext(tables_, *best);
}

absl::StatusOr<ApiKeyIdentity> MemoryTransaction::InsertKey(const ApiKey& key) {
  for (const auto& [other, row] : tables_.keys()) {
    if (row.project == key.project && row.id == key.id && !row.revoked_at.has_value()) {
      return absl::AlreadyExistsError("the project has a key with that id");
    }
  }
  ApiKey inserted = key;
  inserted.key = tables_.Draw();
  inserted.version = tables_.Draw();
  const ApiKeyIdentity identity = {.key = inserted.key, .version = inserted.version};
  tables_.SetKey(identity.key, std::move(inserted));
  return identity;
}

absl::StatusOr<int64_t> MemoryTransaction::SaveKey(const ApiKey& key) {
  const auto found = tables_.keys().find(key.key);
  if (found == tables_.keys().end()) return absl::NotFoundError("no such key");
  ApiKey saved = key;
  saved.used_at = found->second.used_at;
  saved.version = tables_.Draw();
  const int64_t version = saved.version;
  tables_.SetKey(key.key, std::move(saved));
  news_.keys = true;
  return version;
}

absl::Status MemoryTransaction::AddKeySecret(ApiKeyKey key, const KeySecret& secret) {
  if (tables_.secrets().contains(secret.hash)) {
    return absl::AlreadyExistsError("the secret is known");
  }
  tables_.SetSecret(secret.hash, SecretRow{.key = key, .secret = secret, .order = tables_.Draw()});
  news_.keys = true;
  return absl::OkStatus();
}

absl::Status MemoryTransaction::ExpireKeySecrets(ApiKeyKey key, absl::Time at) {
  std::vector<SecretRow> longer;
  for (const auto& [hash, row] : tables_.secrets()) {
    if (row.key == key && row.secret.expires_at > at) longer.push_back(row);
  }
  for (SecretRow& row : longer) {
    row.secret.expires_at = at;
    tables_.SetSecret(row.secret.hash, row);
  }
  news_.keys = true;
  return absl::OkStatus();
}

absl::Status MemoryTransaction::NoteKeyUses(absl::Span<const KeyUse> uses) {
  for (const KeyUse& use : uses) {
    const auto found = tables_.keys().find(use.key);
    if (found == tables_.keys().end()) continue;
    ApiKey key = found->second;
    key.used_at = std::max(use.at, key.used_at.value_or(use.at));
    tables_.SetKey(use.key, std::move(key));
  }
  return absl::OkStatus();
}

}  // namespace memory

absl::StatusOr<std::vector<Project>> MemoryStore::ListProjects(const ProjectQuery& query) {
  absl::MutexLock lock(&mutex_);
  std::vector<Project> projects;
  for (auto it = tables_.projects().upper_bound(query.after_id);
       it != tables_.projects().end() && static_cast<int>(projects.size()) < query.limit; ++it) {
    projects.push_back(tables_.project_rows().at(it->second).project);
  }
  return projects;
}

absl::StatusOr<std::optional<Project>> MemoryStore::ReadProject(const std::string& id) {
  absl::MutexLock lock(&mutex_);
  const auto found = tables_.projects().find(id);
  if (found == tables_.projects().end()) return std::nullopt;
  return tables_.project_rows().at(found->second).project;
}

absl::StatusOr<std::vector<ApiKey>> MemoryStore::ListKeys(const KeyQuery& query) {
  absl::MutexLock lock(&mutex_);
  const auto place = [](const auto& at) { return std::tie(at.project_id, at.id, at.key); };
  std::vector<ApiKey> keys;
  for (const auto& [key, row] : tables_.keys()) {
    if (query.project.has_value() && row.project != *query.project) continue;
    if (row.revoked_at.has_value() && !query.show_revoked) continue;
    ApiKey listed = memory::WithContext(tables_, row);
    if (place(listed) > place(query.after)) keys.push_back(std::move(listed));
  }
  std::sort(keys.begin(), keys.end(),
            [&](const ApiKey& a, const ApiKey& b) { return place(a) < place(b); });
  if (static_cast<int>(keys.size()) > query.limit) keys.resize(query.limit);
  return keys;
}

absl::StatusOr<int64_t> MemoryStore::CountMonitors(ProjectKey project, int64_t up_to) {
  absl::MutexLock lock(&mutex_);
  const int64_t count = std::count_if(
      tables_.definitions().begin(), tables_.definitions().end(), [project](const auto& entry) {
        return entry.second.project == project && !entry.second.deleted_at;
      });
  return std::min(count, up_to);
}

absl::StatusOr<std::optional<KeyMatch>> MemoryStore::FindKeyBySecret(const SecretHash& hash) {
  absl::MutexLock lock(&mutex_);
  const auto found = tables_.secrets().find(hash);
  if (found == tables_.secrets().end()) return std::nullopt;
  return KeyMatch{.key = memory::WithContext(tables_, tables_.keys().at(found->second.key)),
                  .secret_expires_at = found->second.secret.expires_at};
}

void MemoryStore::ForgetKeys(absl::Time ended_before) {
  std::vector<SecretHash> secrets;
  std::vector<ApiKeyKey> keys;
  for (const auto& [key, row] : tables_.keys()) {
    if (row.revoked_at.has_value() && *row.revoked_at < ended_before) keys.push_back(key);
  }
  for (const auto& [hash, row] : tables_.secrets()) {
    const bool forgotten = std::find(keys.begin(), keys.end(), row.key) != keys.end();
    if (forgotten || row.secret.expires_at < ended_before) secrets.push_back(hash);
  }
  for (const SecretHash& hash : secrets) tables_.SetSecret(hash, std::nullopt);
  for (const ApiKeyKey key : keys) tables_.SetKey(key, std::nullopt);
}

}  // namespace tocsin::core
