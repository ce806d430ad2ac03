// Compares the ledger of applied migrations with ours and applies the rest.
#include "services/core/store/pg/migrator.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "services/core/store/pg/conninfo.h"
#include "services/core/store/pg/session.h"

namespace tocsin::core::pg {
namespace {

constexpr int kOldestServer = 130000;

// "tocsin" in ASCII: whoever migrates holds it.
constexpr char kLock[] = "SELECT pg_advisory_lock(128021758699886)";

constexpr char kLedger[] =
    "CREATE TABLE IF NOT EXISTS schema_migration ("
    "number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, "
    "breaking boolean NOT NULL)";

constexpr Statement kServerVersion = {"server_version",
                                      "SELECT current_setting('server_version_num')::integer"};

constexpr Statement kApplied = {
    "applied", "SELECT number, name, checksum, breaking FROM schema_migration ORDER BY number"};

constexpr Statement kRecord = {"record_migration",
                               "INSERT INTO schema_migration (number, breaking, name, checksum) "
                               "VALUES ($1::integer, $2::boolean, $3::text, $4::text)"};

absl::Status CheckServer(Session& session) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(kServerVersion));
  if (rows.at(0).Int() >= kOldestServer) return absl::OkStatus();
  return absl::FailedPreconditionError("PostgreSQL 13 or newer is needed");
}

absl::Status Apply(Session& session, const Migration& migration) {
  RETURN_IF_ERROR(session.Begin());
  const absl::Status applied = session.Script(migration.sql);
  if (!applied.ok()) {
    session.Rollback();
    return absl::Status(applied.code(),
                        absl::StrCat("migration ", migration.name, ": ", applied.message()));
  }
  RETURN_IF_ERROR(session.Run(kRecord, Params()
                                           .Int(migration.number)
                                           .Bool(migration.breaking)
                                           .Text(migration.name)
                                           .Text(Hex(Sha256Bytes(migration.sql)))));
  RETURN_IF_ERROR(session.Commit());
  LogInfo("migration_applied", {{"migration", migration.name}});
  return absl::OkStatus();
}

// Judges what is applied already and takes it out of `missing`.
absl::Status CheckApplied(Session& session, std::map<int, const Migration*>& missing) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(kApplied));
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    const int number = row.Int32();
    const std::string name = row.Text(), checksum = row.Text();
    const bool breaking = row.Bool();
    const auto known = missing.find(number);
    if (known == missing.end()) {
      if (!breaking) continue;
      return absl::FailedPreconditionError(
          absl::StrCat("the database was migrated by a newer Tocsin (", name,
                       ") that this version cannot run beside; upgrade this one"));
    }
    if (checksum != Hex(Sha256Bytes(known->second->sql))) {
      return absl::FailedPreconditionError(
          absl::StrCat("migration ", name, " in the database differs from that of this binary"));
    }
    missing.erase(known);
  }
  return rows.status();
}

}  // namespace

absl::Status ApplyMigrations(const std::string& url, absl::Span<const Migration> migrations) {
  ASSIGN_OR_RETURN(const std::string conninfo, SessionConninfo(url, "tocsin-core/migrate"));
  const SystemMonotonicClock clock;
  Watchdog watchdog(clock);
  ChangeLogger log("database_migration");
  // Another process may be migrating for long: wait for its lock, but not for one on a table.
  Session session({.conninfo = conninfo,
                   .settings = "SET client_min_messages = error",
                   .plan_life = absl::ZeroDuration(),
                   .patience = absl::Minutes(30)},
                  watchdog, log);
  RETURN_IF_ERROR(session.Ready());
  RETURN_IF_ERROR(CheckServer(session));
  RETURN_IF_ERROR(session.Script(kLock));  // held until the session ends
  RETURN_IF_ERROR(session.Script("SET lock_timeout = '1s'"));
  RETURN_IF_ERROR(session.Script(kLedger));
  std::map<int, const Migration*> missing;
  for (const Migration& migration : migrations) missing[migration.number] = &migration;
  RETURN_IF_ERROR(CheckApplied(session, missing));
  for (const auto& [number, migration] : missing) RETURN_IF_ERROR(Apply(session, *migration));
  return absl::OkStatus();
}

}  // namespace tocsin::core::pg
