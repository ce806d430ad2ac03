// The transaction's operations on monitors: tokens, locks, definitions and states.
#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "common/status_macros.h"
#include "services/core/store/pg/hot_statements.h"
#include "services/core/store/pg/monitor_rows.h"
#include "services/core/store/pg/pg_transaction.h"

namespace tocsin::core::pg {
// The locking subquery keeps the order of the outer one, whatever the planner thinks of it.
#define TOCSIN_LOCK_DUE(condition)                                                \
  "SELECT s.monitor_id FROM (SELECT w.monitor_id FROM monitor_sweep w "           \
  "WHERE " condition                                                              \
  "(w.sweep_at, w.monitor_id) > ($1::timestamptz, $2::bigint) "                   \
  "AND w.sweep_at <= $3::timestamptz "                                            \
  "ORDER BY w.sweep_at, w.monitor_id) due CROSS JOIN LATERAL ("                   \
  "SELECT s.monitor_id FROM monitor_state s WHERE s.monitor_id = due.monitor_id " \
  "FOR NO KEY UPDATE SKIP LOCKED) s LIMIT $4::integer"

const Statement kLockDue = {"lock_due", TOCSIN_LOCK_DUE("")};
const Statement kLockCriticalDue = {"lock_critical_due", TOCSIN_LOCK_DUE("w.critical AND ")};

// Those of the locked that are due now that the locks are held. OFFSET 0 makes a search of its own
// of each: as a join, all that is due could be walked for each batch.
const Statement kReadDue = {
    "read_due", "SELECT w.sweep_at, " TOCSIN_DEFINITION_COLUMNS ", " TOCSIN_STATE_COLUMNS
                " FROM " TOCSIN_MONITOR_TABLES
                " CROSS JOIN LATERAL (SELECT d.sweep_at FROM monitor_sweep d "
                "WHERE d.monitor_id = m.monitor_id OFFSET 0) w "
                "WHERE m.monitor_id = ANY ($2::bigint[]) AND w.sweep_at <= $1::timestamptz"};

const Statement kLockMonitorsSkip = {
    "lock_monitors_skip",
    "SELECT s.monitor_id FROM monitor_state s WHERE s.monitor_id = ANY ($1::bigint[]) "
    "ORDER BY s.monitor_id FOR NO KEY UPDATE SKIP LOCKED"};

namespace {

constexpr Statement kResolveTokens = {
    "resolve_tokens",
    "SELECT k.number, t.monitor_id, m.version, t.expires_at, p.id, m.id, "
    "coalesce(m.value_min, m.value_max) IS NOT NULL "
    "FROM unnest($2::bytea[]) WITH ORDINALITY AS k (hash, number) "
    "JOIN push_token t ON t.hash = k.hash "
    "JOIN monitor m ON m.monitor_id = t.monitor_id "
    "JOIN project p ON p.project_id = m.project_id "
    "WHERE t.expires_at > $1::timestamptz AND m.deleted_at IS NULL"};

constexpr Statement kLockMonitors = {
    "lock_monitors",
    "SELECT s.monitor_id FROM monitor_state s WHERE s.monitor_id = ANY ($1::bigint[]) "
    "ORDER BY s.monitor_id FOR NO KEY UPDATE"};

constexpr Statement kReadMonitors = {
    "read_monitors", "SELECT " TOCSIN_DEFINITION_COLUMNS ", " TOCSIN_STATE_COLUMNS
                     " FROM " TOCSIN_MONITOR_TABLES " WHERE m.monitor_id = ANY ($1::bigint[])"};

constexpr Statement kOthersDue = {
    "others_due",
    "SELECT w.monitor_id FROM monitor_sweep w "
    "WHERE (w.sweep_at, w.monitor_id) > ($1::timestamptz, $2::bigint) "
    "AND w.sweep_at <= $3::timestamptz AND w.monitor_id <> ALL ($4::bigint[]) LIMIT 1"};

constexpr Statement kFindMonitor = {
    "find_monitor_key",
    "SELECT m.monitor_id FROM monitor m WHERE m.project_id = $1::integer AND m.id = $2::text"};

constexpr Statement kInsertMonitor = {
    "insert_monitor",
    "WITH made AS (INSERT INTO monitor (project_id, id, display_name, description, owner, "
    "severity, runbook_url, labels, timeout_us, recommended_interval_us, grace_us, "
    "failure_threshold, recovery_threshold, arm_on_create, resume_on_heartbeat, channels, "
    "created_at, updated_at, deleted_at, cron, time_zone, early_tolerance_us, value_min, "
    "value_max, max_run_us, reminder_us, version) "
    "VALUES ($1::integer, $2::text, $3::text, $4::text, $5::text, $6::smallint, $7::text, "
    "$8::jsonb, $9::bigint, $10::bigint, $11::bigint, $12::integer, $13::integer, $14::boolean, "
    "$15::boolean, string_to_array($16::text, ','), $17::timestamptz, $18::timestamptz, "
    "$19::timestamptz, nullif($20::text, ''), $21::text, $22::bigint, $23::double precision, "
    "$24::double precision, $25::bigint, $26::bigint, nextval('definition_version')) "
    "ON CONFLICT (project_id, id) DO NOTHING RETURNING monitor_id, project_id, version), "
    "state AS (INSERT INTO monitor_state (monitor_id, project_id, version, state, last_at, "
    "last_kind, last_source, last_push, armed_at, floor_at, failures, successes, misses, "
    "open_runs, sequence, runs, credit_at, excused_at, transitions, flapping_since, untold_end) "
    "SELECT monitor_id, project_id, version, $27::smallint, $28::timestamptz, $29::smallint, "
    "$30::smallint, $31::bigint, $32::timestamptz, $33::timestamptz, $34::integer, $35::integer, "
    "$36::integer, $37::integer, $38::bigint, nullif($41::text, ''), $42::timestamptz, "
    "$43::timestamptz, string_to_array(nullif($44::text, ''), ',')::bigint[], $45::timestamptz, "
    "$46::bigint FROM made), "
    "sweep AS (INSERT INTO monitor_sweep (monitor_id, sweep_at, critical) "
    "SELECT monitor_id, $40::timestamptz, $6::smallint = 1 FROM made), "
    "listing AS (INSERT INTO monitor_listing (monitor_id, project_id, id, state, changed_at) "
    "SELECT monitor_id, project_id, $2::text, $27::smallint, $39::timestamptz FROM made) "
    "SELECT monitor_id, version FROM made"};

constexpr Statement kSaveDefinition = {
    "save_definition",
    "WITH saved AS (UPDATE monitor SET project_id = $2::integer, id = $3::text, "
    "display_name = $4::text, description = $5::text, owner = $6::text, severity = $7::smallint, "
    "runbook_url = $8::text, labels = $9::jsonb, timeout_us = $10::bigint, "
    "recommended_interval_us = $11::bigint, grace_us = $12::bigint, "
    "failure_threshold = $13::integer, recovery_threshold = $14::integer, "
    "arm_on_create = $15::boolean, resume_on_heartbeat = $16::boolean, "
    "channels = string_to_array($17::text, ','), created_at = $18::timestamptz, "
    "updated_at = $19::timestamptz, deleted_at = $20::timestamptz, "
    "cron = nullif($21::text, ''), time_zone = $22::text, early_tolerance_us = $23::bigint, "
    "value_min = $24::double precision, value_max = $25::double precision, "
    "max_run_us = $26::bigint, reminder_us = $27::bigint, "
    "version = nextval('definition_version') "
    "WHERE monitor_id = $1::bigint RETURNING monitor_id, version), "
    "sweep AS (UPDATE monitor_sweep SET critical = $7::smallint = 1 "
    "WHERE monitor_id = $1::bigint AND critical <> ($7::smallint = 1)) "
    "UPDATE monitor_state s SET version = saved.version FROM saved "
    "WHERE s.monitor_id = saved.monitor_id RETURNING s.version"};

constexpr Statement kAddToken = {"add_token",
                                 "INSERT INTO push_token (monitor_id, created_at, hash) "
                                 "VALUES ($1::bigint, $2::timestamptz, $3::bytea)"};

constexpr Statement kExpireTokens = {
    "expire_tokens",
    "UPDATE push_token SET expires_at = $2::timestamptz "
    "WHERE monitor_id = $1::bigint AND expires_at > $2::timestamptz"};

absl::StatusOr<std::vector<MonitorKey>> KeysOf(absl::StatusOr<Rows> rows) {
  RETURN_IF_ERROR(rows.status());
  std::vector<MonitorKey> keys;
  keys.reserve(rows->size());
  for (int i = 0; i < rows->size(); ++i) keys.push_back(rows->at(i).Int());
  RETURN_IF_ERROR(rows->status());
  return keys;
}

}  // namespace

absl::StatusOr<std::vector<std::optional<TokenMatch>>> PgTransaction::ResolveTokens(
    absl::Span<const TokenHash> tokens, absl::Time now) {
  BinaryArray hashes(ElementType::kBytea, tokens.size() * 3);
  for (const TokenHash& token : tokens) hashes.AddBytes(HashBytes(token));
  ASSIGN_OR_RETURN(Rows rows,
                   session_.Run(kResolveTokens, Params().Time(now).Array(std::move(hashes))));
  return ReadTokenMatches(rows, tokens.size());
}

absl::StatusOr<std::vector<Monitor>> PgTransaction::ReadMonitors(
    absl::Span<const MonitorKey> keys) {
  if (keys.empty()) return std::vector<Monitor>();
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kReadMonitors, Params().Keys8(keys)));
  std::unordered_map<MonitorKey, Monitor> read;
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    Monitor monitor = ReadMonitor(row);
    last_at_[monitor.definition.key] = monitor.state.last_at;
    read[monitor.definition.key] = std::move(monitor);
  }
  RETURN_IF_ERROR(rows.status());
  std::vector<Monitor> monitors;
  monitors.reserve(read.size());
  for (const MonitorKey key : keys) {
    auto found = read.extract(key);
    if (!found.empty()) monitors.push_back(std::move(found.mapped()));
  }
  return monitors;
}

absl::StatusOr<std::vector<Monitor>> PgTransaction::LockMonitors(absl::Span<const MonitorKey> keys,
                                                                 LockMode mode) {
  RETURN_IF_ERROR(BeginLocking());
  const Statement& lock = mode == LockMode::kWait ? kLockMonitors : kLockMonitorsSkip;
  // A statement sees what was committed when it began; waiting for a lock takes time. So the
  // reading is a statement of its own, begun when the locks are held.
  ASSIGN_OR_RETURN(const std::vector<MonitorKey> locked,
                   KeysOf(session_.Run(lock, Params().Keys8(keys))));
  locked_.insert(locked.begin(), locked.end());
  return ReadMonitors(locked);
}

absl::StatusOr<DueMonitors> PgTransaction::LockDue(const SweepCursor& after, absl::Time now,
                                                   int limit) {
  RETURN_IF_ERROR(BeginLocking());
  ASSIGN_OR_RETURN(
      const std::vector<MonitorKey> locked,
      KeysOf(session_.Run(kLockDue,
                          Params().Time(after.sweep_at).Int(after.monitor).Time(now).Int(limit))));
  DueMonitors due;
  ASSIGN_OR_RETURN(due.last, ReadDue(locked, now, due.monitors));
  due.full = static_cast<int>(locked.size()) >= limit;
  if (due.full) {
    const SweepCursor& beyond = due.monitors.empty() ? after : due.last;
    ASSIGN_OR_RETURN(const std::vector<MonitorKey> critical,
                     KeysOf(session_.Run(kLockCriticalDue, Params()
                                                               .Time(beyond.sweep_at)
                                                               .Int(beyond.monitor)
                                                               .Time(now)
                                                               .Int(CriticalBeyond(limit)))));
    RETURN_IF_ERROR(ReadDue(critical, now, due.monitors).status());
  } else {
    ASSIGN_OR_RETURN(
        Rows others,
        session_.Run(kOthersDue,
                     Params().Time(after.sweep_at).Int(after.monitor).Time(now).Keys8(locked)));
    due.more_locked = !others.empty();
  }
  return due;
}

absl::StatusOr<SweepCursor> PgTransaction::ReadDue(absl::Span<const MonitorKey> locked,
                                                   absl::Time now, std::vector<Monitor>& due) {
  SweepCursor last;
  if (locked.empty()) return last;
  // Between the snapshot of the statement that locked and the lock another sweeper may have moved
  // some on.
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kReadDue, Params().Time(now).Keys8(locked)));
  std::vector<Monitor> read;
  read.reserve(rows.size());
  std::vector<std::tuple<absl::Time, MonitorKey, size_t>> order;
  order.reserve(rows.size());
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    const absl::Time sweep_at = row.Time();
    Monitor monitor = ReadMonitor(row);
    const MonitorKey key = monitor.definition.key;
    locked_.insert(key);
    last_at_[key] = monitor.state.last_at;
    order.emplace_back(sweep_at, key, read.size());
    read.push_back(std::move(monitor));
  }
  RETURN_IF_ERROR(rows.status());
  std::sort(order.begin(), order.end());
  due.reserve(due.size() + read.size());
  for (const auto& [sweep_at, key, place] : order) {
    last = {.sweep_at = sweep_at, .monitor = key};
    due.push_back(std::move(read[place]));
  }
  return last;
}

absl::StatusOr<std::optional<MonitorKey>> PgTransaction::FindMonitor(ProjectKey project,
                                                                     const std::string& id) {
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kFindMonitor, Params().Int(project).Text(id)));
  if (rows.empty()) return std::nullopt;
  return rows.at(0).Int();
}

absl::StatusOr<MonitorIdentity> PgTransaction::InsertMonitor(const Monitor& monitor,
                                                             absl::Time sweep_at) {
  const MonitorState& state = monitor.state;
  Params params;
  AddDefinition(monitor.definition, params);
  params.Int(static_cast<int>(state.state))
      .TimeOrNull(KnownTime(state.last_at))
      .Int(static_cast<int>(state.last_kind))
      .Int(static_cast<int>(state.last_source))
      .Int(FromPushId(0))
      .TimeOrNull(KnownTime(state.armed_at))
      .TimeOrNull(KnownTime(state.floor_at))
      .Int(state.failures)
      .Int(state.successes)
      .Int(state.misses)
      .Int(static_cast<int64_t>(state.runs.size()))
      .Int(state.sequence)
      .Time(state.changed_at)
      .TimeOrNull(KnownTime(sweep_at))
      .Text(RunsToText(state.runs))
      .TimeOrNull(KnownTime(state.credit_at))
      .TimeOrNull(KnownTime(state.excused_at))
      .Text(TimesToText(state.transitions))
      .TimeOrNull(state.flapping_since)
      .IntOrNull(state.untold_end);
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kInsertMonitor, params));
  if (rows.empty()) return absl::AlreadyExistsError("the project has a monitor with that id");
  Row row = rows.at(0);
  MonitorIdentity identity;
  identity.key = row.Int();
  identity.version = row.Int();
  if (KnownTime(sweep_at)) announcement_.sweep = true;
  return identity;
}

absl::StatusOr<int64_t> PgTransaction::SaveDefinition(const MonitorDefinition& definition) {
  Params params;
  params.Int(definition.key);
  AddDefinition(definition, params);
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kSaveDefinition, params));
  if (rows.empty()) return absl::NotFoundError("no such monitor");
  return rows.at(0).Int();
}

absl::Status PgTransaction::SaveStates(absl::Span<const StateChange> changes) {
  for (const StateChange& change : changes) buffer_.SaveState(change);
  return absl::OkStatus();
}

absl::Status PgTransaction::AddToken(MonitorKey monitor, const TokenHash& token,
                                     absl::Time created_at) {
  return session_.Run(kAddToken, Params().Int(monitor).Time(created_at).Bytes(HashBytes(token)))
      .status();
}

absl::Status PgTransaction::ExpireTokens(MonitorKey monitor, absl::Time at) {
  return session_.Run(kExpireTokens, Params().Int(monitor).Time(at)).status();
}

}  // namespace tocsin::core::pg
