// What is kept of changes that people make: the audit log, and requests that count once.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/status_macros.h"
#include "services/core/store/pg/pg_store.h"
#include "services/core/store/pg/pg_transaction.h"

namespace tocsin::core {
namespace {

using Json = nlohmann::json;

constexpr pg::Statement kAddAudit = {
    "add_audit",
    "INSERT INTO audit_entry (at, project_id, project, actor, method, source, request_id, "
    "resource, changes) VALUES ($1::timestamptz, $2::integer, $3::text, $4::text, $5::text, "
    "$6::text, $7::text, $8::text, $9::jsonb)"};

constexpr pg::Statement kListAudit = {
    "list_audit",
    "SELECT a.audit_entry_id, a.at, a.project_id, a.project, a.actor, a.method, a.source, "
    "a.request_id, a.resource, a.changes FROM audit_entry a "
    "WHERE ($1::integer IS NULL OR a.project_id = $1::integer) "
    "AND ($2::text = '' OR a.resource = $2::text) AND ($3::text = '' OR a.actor = $3::text) "
    "AND a.at >= $4::timestamptz AND a.at < $5::timestamptz "
    "AND (a.at, a.audit_entry_id) < ($6::timestamptz, $7::bigint) "
    "ORDER BY a.at DESC, a.audit_entry_id DESC LIMIT $8::integer"};

constexpr pg::Statement kClaimRequest = {
    "claim_request",
    "INSERT INTO request AS r (actor, method, request_id, resource, version, at, fingerprint, "
    "secret_key_id) VALUES ($1::text, $2::text, $3::uuid, $4::text, $5::bigint, "
    "$6::timestamptz, $8::bytea, $9::bytea) "
    "ON CONFLICT (actor, method, request_id) DO UPDATE SET resource = excluded.resource, "
    "version = excluded.version, at = excluded.at, fingerprint = excluded.fingerprint, "
    "secret_key_id = excluded.secret_key_id WHERE r.at <= $7::timestamptz RETURNING true"};

constexpr pg::Statement kReadRequest = {
    "read_request",
    "SELECT r.resource, r.version, r.at, r.fingerprint, r.secret_key_id FROM request r "
    "WHERE r.actor = $1::text AND r.method = $2::text AND r.request_id = $3::uuid"};

constexpr pg::Statement kSaveRequest = {
    "save_request",
    "UPDATE request SET version = $4::bigint "
    "WHERE actor = $1::text AND method = $2::text AND request_id = $3::uuid"};

std::string ChangesToJson(const std::vector<FieldChange>& changes) {
  Json json = Json::array();
  for (const FieldChange& change : changes) {
    json.push_back({change.field, change.before, change.after});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<FieldChange> ChangesFromJson(const std::string& text) {
  std::vector<FieldChange> changes;
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array()) return changes;
  const auto is_text = [](const Json& part) { return part.is_string(); };
  for (const Json& item : json) {
    if (!item.is_array() || item.size() != 3 || !std::all_of(item.begin(), item.end(), is_text)) {
      continue;
    }
    changes.push_back({.field = item[0].get<std::string>(),
                       .before = item[1].get<std::string>(),
                       .after = item[2].get<std::string>()});
  }
  return changes;
}

AuditView ReadAudit(pg::Row& row) {
  AuditView view;
  AuditRecord& record = view.record;
  view.key = row.Int();
  record.at = row.Time();
  record.project = row.Int();
  record.project_id = row.Text();
  record.caller.actor = row.Text();
  record.caller.method = row.Text();
  record.caller.source = row.Text();
  record.caller.request_id = row.Text();
  record.resource = row.Text();
  record.changes = ChangesFromJson(row.Text());
  return view;
}

}  // namespace

absl::Status pg::PgTransaction::AddAudit(const AuditRecord& record) {
  return session_
      .Run(kAddAudit, Params()
                          .Time(record.at)
                          .Int(record.project)
                          .Text(record.project_id)
                          .Text(record.caller.actor)
                          .Text(record.caller.method)
                          .Text(record.caller.source)
                          .Text(record.caller.request_id)
                          .Text(record.resource)
                          .Text(ChangesToJson(record.changes)))
      .status();
}

absl::StatusOr<std::optional<RequestRecord>> pg::PgTransaction::ClaimRequest(
    const RequestRecord& record, absl::Time after) {
  ASSIGN_OR_RETURN(const Rows claimed,
                   session_.Run(kClaimRequest, Params()
                                                   .Text(record.actor)
                                                   .Text(record.method)
                                                   .Text(record.id)
                                                   .Text(record.resource)
                                                   .Int(record.version)
                                                   .Time(record.at)
                                                   .Time(after)
                                                   .Bytes(record.fingerprint)
                                                   .Bytes(record.secret_key_id)));
  if (!claimed.empty()) return std::nullopt;
  // A statement of its own: it sees what the one before has waited for.
  ASSIGN_OR_RETURN(
      Rows rows,
      session_.Run(kReadRequest, Params().Text(record.actor).Text(record.method).Text(record.id)));
  if (rows.empty()) return absl::UnavailableError("a request was forgotten at this moment");
  Row row = rows.at(0);
  RequestRecord earlier = record;
  earlier.resource = row.Text();
  earlier.version = row.Int();
  earlier.at = row.Time();
  earlier.fingerprint = row.Bytes();
  earlier.secret_key_id = row.Bytes();
  RETURN_IF_ERROR(rows.status());
  return earlier;
}

absl::Status pg::PgTransaction::SaveRequest(const RequestRecord& record) {
  return session_
      .Run(kSaveRequest,
           Params().Text(record.actor).Text(record.method).Text(record.id).Int(record.version))
      .status();
}

absl::StatusOr<std::vector<AuditView>> PgStore::ListAudit(const AuditQuery& query) {
  ASSIGN_OR_RETURN(pg::Rows rows, Read(kListAudit, pg::Params()
                                                       .IntOrNull(query.project)
                                                       .Text(query.resource)
                                                       .Text(query.actor)
                                                       .Time(query.start)
                                                       .Time(query.end)
                                                       .Time(query.before)
                                                       .Int(query.before_key)
                                                       .Int(query.limit)));
  std::vector<AuditView> views;
  for (int i = 0; i < rows.size(); ++i) {
    pg::Row row = rows.at(i);
    views.push_back(ReadAudit(row));
  }
  RETURN_IF_ERROR(rows.status());
  return views;
}

}  // namespace tocsin::core
