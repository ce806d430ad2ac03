// Maintenances: the transaction's operations, and the list.
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "services/core/domain/time_zone.h"
#include "services/core/store/pg/maintenance_rows.h"
#include "services/core/store/pg/pg_store.h"
#include "services/core/store/pg/pg_transaction.h"

namespace tocsin::core {
namespace pg {
namespace {

constexpr Statement kStamp = {
    "maintenance_stamp", "SELECT coalesce(sum(t.version), 0)::bigint, count(*) FROM maintenance t"};

constexpr Statement kAll = {
    "maintenances",
    "SELECT " TOCSIN_MAINTENANCE_COLUMNS
    " FROM maintenance t JOIN project p ON p.project_id = t.project_id ORDER BY t.maintenance_id"};

constexpr Statement kLock = {"lock_maintenance",
                             "SELECT " TOCSIN_MAINTENANCE_COLUMNS
                             " FROM maintenance t JOIN project p ON p.project_id = t.project_id "
                             "WHERE t.project_id = $1::integer AND t.id = $2::text AND t.kind = "
                             "$3::smallint AND t.deleted_at IS NULL "
                             "FOR NO KEY UPDATE OF t"};

constexpr Statement kCount = {"count_maintenances",
                              "SELECT count(*) FROM maintenance t WHERE t.project_id = $1::integer "
                              "AND t.kind = $2::smallint AND t.deleted_at IS NULL AND (t.end_at IS "
                              "NULL OR t.end_at > $3::timestamptz)"};

constexpr Statement kInsert = {
    "insert_maintenance",
    "INSERT INTO maintenance (project_id, id, display_name, reason, author, selector, monitors, "
    "all_monitors, start_at, end_at, cron, time_zone, duration_us, created_at, updated_at, kind, "
    "deleted_at, version) "
    "VALUES ($1::integer, $2::text, $3::text, $4::text, $5::text, $6::text, "
    "string_to_array($7::text, ','), $8::boolean, $9::timestamptz, $10::timestamptz, "
    "nullif($11::text, ''), $12::text, $13::bigint, $14::timestamptz, $15::timestamptz, "
    "$16::smallint, $17::timestamptz, nextval('definition_version')) "
    "ON CONFLICT (project_id, kind, id) WHERE deleted_at IS NULL DO NOTHING RETURNING "
    "maintenance_id, version"};

constexpr Statement kSave = {
    "save_maintenance",
    "UPDATE maintenance SET project_id = $2::integer, id = $3::text, display_name = $4::text, "
    "reason = $5::text, author = $6::text, selector = $7::text, "
    "monitors = string_to_array($8::text, ','), all_monitors = $9::boolean, "
    "start_at = $10::timestamptz, end_at = $11::timestamptz, cron = nullif($12::text, ''), "
    "time_zone = $13::text, duration_us = $14::bigint, created_at = $15::timestamptz, "
    "updated_at = $16::timestamptz, kind = $17::smallint, "
    "deleted_at = $18::timestamptz, version = nextval('definition_version') "
    "WHERE maintenance_id = $1::bigint RETURNING version"};

constexpr Statement kDelete = {"delete_maintenance",
                               "DELETE FROM maintenance WHERE maintenance_id = $1::bigint"};

void AddFields(const Maintenance& maintenance, Params& params) {
  const auto& recurring = maintenance.recurring;
  params.Int(maintenance.project)
      .Text(maintenance.id)
      .Text(maintenance.display_name)
      .Text(maintenance.reason)
      .Text(maintenance.author)
      .Text(maintenance.selector)
      .Text(absl::StrJoin(maintenance.monitors, ","))
      .Bool(maintenance.all_monitors)
      .TimeOrNull(recurring ? std::nullopt : std::optional(maintenance.start))
      .TimeOrNull(recurring ? std::nullopt : std::optional(maintenance.end))
      .Text(recurring ? recurring->expression.text() : "")
      .Text(recurring ? recurring->zone.name() : "")
      .Int(recurring ? absl::ToInt64Microseconds(recurring->duration) : 0)
      .Time(maintenance.created_at)
      .Time(maintenance.updated_at)
      .Int(static_cast<int>(maintenance.kind))
      .TimeOrNull(maintenance.deleted_at);
}

}  // namespace

Maintenance ReadMaintenance(Row& row) {
  Maintenance maintenance;
  maintenance.key = row.Int();
  maintenance.project = row.Int();
  maintenance.project_id = row.Text();
  maintenance.id = row.Text();
  maintenance.display_name = row.Text();
  maintenance.reason = row.Text();
  maintenance.author = row.Text();
  maintenance.selector = row.Text();
  maintenance.monitors = absl::StrSplit(row.Text(), ',', absl::SkipEmpty());
  maintenance.all_monitors = row.Bool();
  maintenance.start = row.TimeOr(absl::UnixEpoch());
  maintenance.end = row.TimeOr(absl::UnixEpoch());
  const std::string cron = row.Text();
  const std::string zone = row.Text();
  const absl::Duration duration = absl::Microseconds(row.Int());
  if (!cron.empty()) {
    const absl::StatusOr<CronExpression> expression = CronExpression::Parse(cron);
    const absl::StatusOr<absl::TimeZone> found = FindTimeZone(zone);
    if (expression.ok()) {
      maintenance.recurring =
          RecurringWindow{.expression = *expression,
                          .zone = found.ok() ? NamedZone(*found) : NamedZone::Unknown(zone),
                          .duration = duration};
    } else {
      LogError("stored_cron_is_unreadable", {{"expression", cron}});
    }
  }
  maintenance.created_at = row.Time();
  maintenance.updated_at = row.Time();
  maintenance.version = row.Int();
  maintenance.kind = row.As<MaintenanceKind>();
  maintenance.deleted_at = row.MaybeTime();
  return maintenance;
}

absl::StatusOr<std::shared_ptr<const Maintenances>> PgTransaction::ReadMaintenances() {
  ASSIGN_OR_RETURN(Rows stamped, session_.Run(kStamp, Params()));
  Row row = stamped.at(0);
  MaintenanceCache::Stamp stamp;
  stamp.first = row.Int();
  stamp.second = row.Int();
  RETURN_IF_ERROR(stamped.status());
  if (auto known = maintenance_cache_.Find(stamp)) return known;
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kAll, Params()));
  auto read = std::make_shared<Maintenances>();
  for (int i = 0; i < rows.size(); ++i) {
    Row each = rows.at(i);
    read->push_back(ReadMaintenance(each));
  }
  RETURN_IF_ERROR(rows.status());
  // When another was committed in between, the stamp is an old one, and all is read again.
  maintenance_cache_.Keep(stamp, read);
  return read;
}

absl::StatusOr<std::optional<Maintenance>> PgTransaction::LockMaintenance(ProjectKey project,
                                                                          MaintenanceKind kind,
                                                                          const std::string& id) {
  ASSIGN_OR_RETURN(Rows rows,
                   session_.Run(kLock, Params().Int(project).Text(id).Int(static_cast<int>(kind))));
  if (rows.empty()) return std::nullopt;
  Row row = rows.at(0);
  Maintenance maintenance = ReadMaintenance(row);
  RETURN_IF_ERROR(rows.status());
  return maintenance;
}

absl::StatusOr<int64_t> PgTransaction::CountMaintenances(ProjectKey project, MaintenanceKind kind,
                                                         absl::Time now) {
  ASSIGN_OR_RETURN(
      Rows rows, session_.Run(kCount, Params().Int(project).Int(static_cast<int>(kind)).Time(now)));
  return rows.at(0).Int();
}

absl::StatusOr<Maintenance> PgTransaction::InsertMaintenance(const Maintenance& maintenance) {
  Params params;
  AddFields(maintenance, params);
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kInsert, params));
  if (rows.empty()) return absl::AlreadyExistsError("the project has a maintenance with that id");
  Row row = rows.at(0);
  Maintenance made = maintenance;
  made.key = row.Int();
  made.version = row.Int();
  return made;
}

absl::StatusOr<int64_t> PgTransaction::SaveMaintenance(const Maintenance& maintenance) {
  Params params;
  params.Int(maintenance.key);
  AddFields(maintenance, params);
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kSave, params));
  if (rows.empty()) return absl::NotFoundError("no such maintenance");
  return rows.at(0).Int();
}

absl::Status PgTransaction::DeleteMaintenance(MaintenanceKey maintenance) {
  return session_.Run(kDelete, Params().Int(maintenance)).status();
}

}  // namespace pg

namespace {

constexpr pg::Statement kListMaintenances = {
    "list_maintenances",
    "SELECT " TOCSIN_MAINTENANCE_COLUMNS
    " FROM maintenance t JOIN project p ON p.project_id = t.project_id "
    "WHERE t.project_id = $1::integer AND t.id > $2::text "
    "AND ($4::smallint IS NULL OR t.kind = $4::smallint) "
    "AND ($6::boolean OR t.deleted_at IS NULL) "
    "AND (t.kind <> 2 OR $5::timestamptz IS NULL OR t.end_at > $5::timestamptz) "
    "ORDER BY t.id, t.kind LIMIT $3::integer"};

}  // namespace

absl::StatusOr<std::vector<Maintenance>> PgStore::ListMaintenances(const MaintenanceQuery& query) {
  const std::optional<int64_t> kind =
      query.kind ? std::optional<int64_t>(static_cast<int64_t>(*query.kind)) : std::nullopt;
  ASSIGN_OR_RETURN(pg::Rows rows, Read(kListMaintenances, pg::Params()
                                                              .Int(query.project)
                                                              .Text(query.after_id)
                                                              .Int(query.limit)
                                                              .IntOrNull(kind)
                                                              .TimeOrNull(query.mutes_open_after)
                                                              .Bool(query.with_deleted)));
  std::vector<Maintenance> maintenances;
  for (int i = 0; i < rows.size(); ++i) {
    pg::Row row = rows.at(i);
    maintenances.push_back(pg::ReadMaintenance(row));
  }
  RETURN_IF_ERROR(rows.status());
  return maintenances;
}

}  // namespace tocsin::core
