// What people and the API read of projects and keys.
#include "common/status_macros.h"
#include "services/core/store/pg/access_rows.h"
#include "services/core/store/pg/pg_store.h"

namespace tocsin::core {
namespace {

constexpr pg::Statement kListProjects = {
    "list_projects", "SELECT " TOCSIN_PROJECT_COLUMNS
                     " FROM project p WHERE p.id > $1::text AND p.deleted_at IS NULL "
                     "ORDER BY p.id LIMIT $2::integer"};

constexpr pg::Statement kReadProject = {
    "read_project", "SELECT " TOCSIN_PROJECT_COLUMNS
                    " FROM project p WHERE p.id = $1::text AND p.deleted_at IS NULL"};

constexpr pg::Statement kListKeys = {
    "list_keys",
    "SELECT " TOCSIN_KEY_COLUMNS " FROM " TOCSIN_KEY_TABLES
    "WHERE (coalesce(p.id, '-'), k.id, k.api_key_id) > ($1::text, $2::text, $3::bigint) "
    "AND ($4::boolean OR k.revoked_at IS NULL) "
    "ORDER BY coalesce(p.id, '-'), k.id, k.api_key_id LIMIT $5::integer"};

// Of one project: the index gives them in order.
constexpr pg::Statement kListKeysOfProject = {
    "list_keys_of_project", "SELECT " TOCSIN_KEY_COLUMNS " FROM " TOCSIN_KEY_TABLES
                            "WHERE k.project_id = $1::integer "
                            "AND (k.id, k.api_key_id) > ($2::text, $3::bigint) "
                            "AND ($4::boolean OR k.revoked_at IS NULL) "
                            "ORDER BY k.id, k.api_key_id LIMIT $5::integer"};

constexpr pg::Statement kFindKeyBySecret = {
    "find_key_by_secret", "SELECT t.expires_at, " TOCSIN_KEY_COLUMNS
                          " FROM api_key_secret t JOIN api_key k ON k.api_key_id = t.api_key_id "
                          "LEFT JOIN project p ON p.project_id = k.project_id "
                          "WHERE t.hash = $1::bytea"};

}  // namespace

absl::StatusOr<std::vector<Project>> PgStore::ListProjects(const ProjectQuery& query) {
  ASSIGN_OR_RETURN(pg::Rows rows,
                   Read(kListProjects, pg::Params().Text(query.after_id).Int(query.limit)));
  std::vector<Project> projects;
  for (int i = 0; i < rows.size(); ++i) {
    pg::Row row = rows.at(i);
    projects.push_back(pg::ReadProject(row));
  }
  RETURN_IF_ERROR(rows.status());
  return projects;
}

absl::StatusOr<std::optional<Project>> PgStore::ReadProject(const std::string& id) {
  ASSIGN_OR_RETURN(pg::Rows rows, Read(kReadProject, pg::Params().Text(id)));
  if (rows.empty()) return std::nullopt;
  pg::Row row = rows.at(0);
  Project project = pg::ReadProject(row);
  RETURN_IF_ERROR(rows.status());
  return project;
}

absl::StatusOr<std::vector<ApiKey>> PgStore::ListKeys(const KeyQuery& query) {
  pg::Params params;
  absl::StatusOr<pg::Rows> rows;
  if (query.project.has_value()) {
    params.Int(*query.project).Text(query.after.id).Int(query.after.key);
    rows = Read(kListKeysOfProject, params.Bool(query.show_revoked).Int(query.limit));
  } else {
    params.Text(query.after.project_id).Text(query.after.id).Int(query.after.key);
    rows = Read(kListKeys, params.Bool(query.show_revoked).Int(query.limit));
  }
  RETURN_IF_ERROR(rows.status());
  std::vector<ApiKey> keys;
  for (int i = 0; i < rows->size(); ++i) {
    pg::Row row = rows->at(i);
    ASSIGN_OR_RETURN(keys.emplace_back(), pg::ReadApiKey(row));
  }
  RETURN_IF_ERROR(rows->status());
  return keys;
}

absl::StatusOr<std::optional<KeyMatch>> PgStore::FindKeyBySecret(const SecretHash& hash) {
  pg::Params params;
  params.Bytes(std::string(hash.begin(), hash.end()));
  ASSIGN_OR_RETURN(pg::Rows rows, ReadOn(engine_, kFindKeyBySecret, params));
  if (rows.empty()) return std::nullopt;
  pg::Row row = rows.at(0);
  KeyMatch match;
  match.secret_expires_at = row.Time();
  ASSIGN_OR_RETURN(match.key, pg::ReadApiKey(row));
  RETURN_IF_ERROR(rows.status());
  return match;
}

}  // namespace tocsin::core
