// The transaction's operations on projects and keys.
#include "common/status_macros.h"
#include "services/core/store/pg/access_rows.h"
#include "services/core/store/pg/pg_transaction.h"
#include "services/core/store/pg/row_arrays.h"
#include "services/core/store/pg/snapshot.h"

namespace tocsin::core::pg {
namespace {

constexpr Statement kHoldProject = {"hold_project",
                                    "SELECT p.project_id FROM project p "
                                    "WHERE p.project_id = $1::integer AND p.deleted_at IS NULL "
                                    "FOR KEY SHARE"};

// Not only NO KEY UPDATE: that would let others hold it.
constexpr Statement kLockProject = {"lock_project", "SELECT " TOCSIN_PROJECT_COLUMNS
                                                    " FROM project p WHERE p.id = $1::text "
                                                    "AND p.deleted_at IS NULL FOR UPDATE"};

constexpr Statement kInsertProject = {
    "insert_project",
    "INSERT INTO project (id, display_name, created_at, updated_at, version) "
    "VALUES ($1::text, $2::text, $3::timestamptz, $4::timestamptz, "
    "nextval('definition_version')) "
    "ON CONFLICT (id) WHERE deleted_at IS NULL DO NOTHING RETURNING project_id, version"};

constexpr Statement kSaveProject = {
    "save_project",
    "UPDATE project SET display_name = $2::text, updated_at = $3::timestamptz, "
    "version = nextval('definition_version') WHERE project_id = $1::integer RETURNING version"};

constexpr Statement kIsInUse = {
    "project_in_use",
    "SELECT EXISTS (SELECT FROM monitor m WHERE m.project_id = $1::integer "
    "AND m.deleted_at IS NULL) OR EXISTS (SELECT FROM channel c "
    "WHERE c.project_id = $1::integer AND c.deleted_at IS NULL)"};

constexpr Statement kEndProject = {
    "end_project",
    "UPDATE project SET deleted_at = $2::timestamptz WHERE project_id = $1::integer"};

constexpr Statement kEndKeysOfProject = {
    "end_keys_of_project",
    "UPDATE api_key SET revoked_at = $2::timestamptz, updated_at = $2::timestamptz, "
    "version = nextval('definition_version') "
    "WHERE project_id = $1::integer AND revoked_at IS NULL"};

constexpr Statement kLockKey = {"lock_key",
                                "SELECT " TOCSIN_KEY_COLUMNS " FROM " TOCSIN_KEY_TABLES
                                "WHERE k.project_id = $1::integer AND k.id = $2::text "
                                "ORDER BY k.revoked_at DESC NULLS FIRST, k.api_key_id DESC LIMIT 1 "
                                "FOR NO KEY UPDATE OF k"};

constexpr Statement kInsertKey = {
    "insert_key",
    "INSERT INTO api_key (project_id, id, display_name, role, push, expires_at, created_at, "
    "updated_at, revoked_at, version) "
    "VALUES ($1::integer, $2::text, $3::text, $4::smallint, nullif($5::text, '')::jsonb, "
    "$6::timestamptz, $7::timestamptz, $8::timestamptz, $9::timestamptz, "
    "nextval('definition_version')) "
    "ON CONFLICT (project_id, id) WHERE revoked_at IS NULL DO NOTHING "
    "RETURNING api_key_id, version"};

constexpr Statement kSaveKey = {
    "save_key",
    "UPDATE api_key SET display_name = $2::text, role = $3::smallint, "
    "push = nullif($4::text, '')::jsonb, expires_at = $5::timestamptz, "
    "updated_at = $6::timestamptz, revoked_at = $7::timestamptz, "
    "version = nextval('definition_version') WHERE api_key_id = $1::bigint RETURNING version"};

constexpr Statement kAddSecret = {
    "add_key_secret",
    "INSERT INTO api_key_secret (api_key_id, prefix, created_at, expires_at, hash) "
    "VALUES ($1::bigint, $2::text, $3::timestamptz, $4::timestamptz, $5::bytea) "
    "ON CONFLICT (hash) DO NOTHING RETURNING true"};

constexpr Statement kExpireSecrets = {
    "expire_key_secrets",
    "UPDATE api_key_secret SET expires_at = $2::timestamptz "
    "WHERE api_key_id = $1::bigint AND expires_at > $2::timestamptz"};

constexpr Statement kNoteUses = {
    "note_key_uses",
    "UPDATE api_key k SET used_at = u.at "
    "FROM unnest($1::bigint[], $2::timestamptz[]) AS u (api_key_id, at) "
    "WHERE k.api_key_id = u.api_key_id AND (k.used_at IS NULL OR k.used_at < u.at)"};

std::string GrantText(const ApiKey& key) { return key.push ? GrantToJson(*key.push) : ""; }

}  // namespace

Project ReadProject(Row& row) {
  Project project;
  project.key = row.Int();
  project.id = row.Text();
  project.display_name = row.Text();
  project.created_at = row.MaybeTime();
  project.updated_at = row.MaybeTime();
  project.version = row.Int();
  return project;
}

absl::StatusOr<ApiKey> ReadApiKey(Row& row) {
  ApiKey key;
  key.key = row.Int();
  key.project = row.Int();
  key.project_id = row.Text();
  key.id = row.Text();
  key.display_name = row.Text();
  key.role = row.As<Role>();
  key.expires_at = row.MaybeTime();
  if (row.NextIsNull()) {
    row.Skip();
  } else {
    ASSIGN_OR_RETURN(key.push, GrantFromJson(row.Text()));
  }
  key.created_at = row.Time();
  key.updated_at = row.Time();
  key.used_at = row.MaybeTime();
  key.revoked_at = row.MaybeTime();
  key.version = row.Int();
  key.prefix = row.Text();
  return key;
}

absl::StatusOr<bool> PgTransaction::HoldProject(ProjectKey project) {
  ASSIGN_OR_RETURN(const Rows rows, session_.Run(kHoldProject, Params().Int(project)));
  return !rows.empty();
}

absl::StatusOr<std::optional<Project>> PgTransaction::LockProject(const std::string& id) {
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kLockProject, Params().Text(id)));
  if (rows.empty()) return std::nullopt;
  Row row = rows.at(0);
  Project project = ReadProject(row);
  RETURN_IF_ERROR(rows.status());
  return project;
}

absl::StatusOr<ProjectIdentity> PgTransaction::InsertProject(const Project& project) {
  Params params;
  params.Text(project.id)
      .Text(project.display_name)
      .TimeOrNull(project.created_at)
      .TimeOrNull(project.updated_at);
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kInsertProject, params));
  if (rows.empty()) return absl::AlreadyExistsError("there is a project with that id");
  Row row = rows.at(0);
  ProjectIdentity identity;
  identity.key = row.Int();
  identity.version = row.Int();
  return identity;
}

absl::StatusOr<int64_t> PgTransaction::SaveProject(const Project& project) {
  Params params;
  params.Int(project.key).Text(project.display_name).TimeOrNull(project.updated_at);
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kSaveProject, params));
  if (rows.empty()) return absl::NotFoundError("no such project");
  return rows.at(0).Int();
}

absl::StatusOr<bool> PgTransaction::IsInUse(ProjectKey project) {
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kIsInUse, Params().Int(project)));
  return rows.at(0).Bool();
}

absl::Status PgTransaction::DeleteProject(ProjectKey project, absl::Time now) {
  announcement_.keys = true;
  RETURN_IF_ERROR(session_.Run(kEndKeysOfProject, Params().Int(project).Time(now)));
  return session_.Run(kEndProject, Params().Int(project).Time(now)).status();
}

absl::StatusOr<std::optional<ApiKey>> PgTransaction::LockKey(ProjectKey project,
                                                             const std::string& id) {
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kLockKey, Params().Int(project).Text(id)));
  if (rows.empty()) return std::nullopt;
  Row row = rows.at(0);
  ASSIGN_OR_RETURN(ApiKey key, ReadApiKey(row));
  RETURN_IF_ERROR(rows.status());
  return key;
}

absl::StatusOr<ApiKeyIdentity> PgTransaction::InsertKey(const ApiKey& key) {
  Params params;
  params.Int(key.project)
      .Text(key.id)
      .Text(key.display_name)
      .Int(static_cast<int>(key.role))
      .Text(GrantText(key))
      .TimeOrNull(key.expires_at)
      .Time(key.created_at)
      .Time(key.updated_at)
      .TimeOrNull(key.revoked_at);
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kInsertKey, params));
  if (rows.empty()) return absl::AlreadyExistsError("the project has a key with that id");
  Row row = rows.at(0);
  ApiKeyIdentity identity;
  identity.key = row.Int();
  identity.version = row.Int();
  return identity;
}

absl::StatusOr<int64_t> PgTransaction::SaveKey(const ApiKey& key) {
  announcement_.keys = true;
  Params params;
  params.Int(key.key)
      .Text(key.display_name)
      .Int(static_cast<int>(key.role))
      .Text(GrantText(key))
      .TimeOrNull(key.expires_at)
      .Time(key.updated_at)
      .TimeOrNull(key.revoked_at);
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kSaveKey, params));
  if (rows.empty()) return absl::NotFoundError("no such key");
  return rows.at(0).Int();
}

absl::Status PgTransaction::AddKeySecret(ApiKeyKey key, const KeySecret& secret) {
  announcement_.keys = true;
  Params params;
  params.Int(key).Text(secret.prefix).Time(secret.created_at).Time(secret.expires_at);
  params.Bytes(std::string(secret.hash.begin(), secret.hash.end()));
  ASSIGN_OR_RETURN(const Rows rows, session_.Run(kAddSecret, params));
  if (rows.empty()) return absl::AlreadyExistsError("the secret is known");
  return absl::OkStatus();
}

absl::Status PgTransaction::ExpireKeySecrets(ApiKeyKey key, absl::Time at) {
  announcement_.keys = true;
  return session_.Run(kExpireSecrets, Params().Int(key).Time(at)).status();
}

absl::Status PgTransaction::NoteKeyUses(absl::Span<const KeyUse> uses) {
  BinaryArray keys(ElementType::kInt8, uses.size());
  BinaryArray times(ElementType::kTimestamptz, uses.size());
  for (const KeyUse& use : uses) {
    keys.AddInt8(use.key);
    times.AddTime(use.at);
  }
  Params params;
  params.Array(std::move(keys)).Array(std::move(times));
  return session_.Run(kNoteUses, params).status();
}

}  // namespace tocsin::core::pg
