// The transaction's operations on the proof that Tocsin could receive, and on the gaps in it.
#include "common/status_macros.h"
#include "services/core/store/pg/monitor_rows.h"
#include "services/core/store/pg/pg_transaction.h"

namespace tocsin::core::pg {
namespace {

constexpr Statement kReadTouches = {
    "read_touches",
    "SELECT t.instance, t.touched_at, t.gateways, t.gateway_seen_at FROM instance_touch t "
    "ORDER BY t.instance"};

constexpr Statement kSaveTouch = {
    "save_touch",
    "INSERT INTO instance_touch AS t (instance, touched_at, gateways, gateway_seen_at) "
    "VALUES ($1::text, $2::timestamptz, $3::integer, $4::timestamptz) "
    "ON CONFLICT (instance) DO UPDATE SET touched_at = excluded.touched_at, "
    "gateways = excluded.gateways, gateway_seen_at = excluded.gateway_seen_at"};

constexpr Statement kForgetTouches = {
    "forget_touches", "DELETE FROM instance_touch WHERE touched_at < $1::timestamptz"};

constexpr Statement kAddGap = {"add_gap",
                               "INSERT INTO gap (kind, start_at, end_at) "
                               "VALUES ($1::smallint, $2::timestamptz, $3::timestamptz)"};

constexpr Statement kLockUntoldGaps = {
    "lock_untold_gaps",
    "SELECT g.gap_id, g.kind, g.start_at, g.end_at FROM gap g "
    "WHERE NOT g.told AND g.end_at <= $1::timestamptz ORDER BY g.end_at, g.gap_id "
    "LIMIT 10000 FOR UPDATE SKIP LOCKED"};

constexpr Statement kMarkGapsTold = {
    "mark_gaps_told", "UPDATE gap SET told = true WHERE gap_id = ANY ($1::bigint[])"};

constexpr Statement kClaimSilence = {
    "claim_silence",
    "INSERT INTO told_silence (since, projects, deliveries) "
    "VALUES ($1::timestamptz, $2::bigint[], $3::text[]) ON CONFLICT DO NOTHING"};

// `state + 0`: as in kLeaseDeliveries.
constexpr Statement kEndSilence = {
    "end_silence",
    "WITH told AS (SELECT t.projects, t.deliveries FROM told_silence t "
    "WHERE t.since >= $1::timestamptz AND t.since <= $2::timestamptz), "
    "late AS (SELECT d.delivery_id FROM told t CROSS JOIN unnest(t.deliveries) AS u (id) "
    "JOIN delivery d ON d.id = u.id WHERE d.state + 0 = 1 ORDER BY d.delivery_id "
    "FOR NO KEY UPDATE OF d), "
    "ended AS (UPDATE delivery d SET state = 4, finished_at = $3::timestamptz FROM late "
    "WHERE d.delivery_id = late.delivery_id) "
    "SELECT DISTINCT p.project_id FROM told t CROSS JOIN unnest(t.projects) AS p (project_id) "
    "ORDER BY p.project_id"};

// Of each project the first thousand monitors that are not paused. Sources: 2 is gRPC.
constexpr Statement kProjectsOverHttp = {
    "projects_over_http",
    "SELECT c.project_id FROM (SELECT DISTINCT d.project_id FROM channel d WHERE d.is_default "
    "AND d.disabled_at IS NULL AND d.deleted_at IS NULL) c WHERE EXISTS ("
    "SELECT FROM (SELECT l.monitor_id, row_number() OVER () AS n FROM monitor_listing l "
    "WHERE l.project_id = c.project_id AND l.state <> 4 LIMIT 1000) f "
    "JOIN monitor_state s ON s.monitor_id = f.monitor_id WHERE f.n = 1000 "
    "OR ((s.last_at IS NOT NULL OR s.armed_at IS NOT NULL) "
    "AND s.last_source IS DISTINCT FROM 2)) ORDER BY c.project_id LIMIT 10000"};

constexpr Statement kMonitorsAround = {
    "monitors_around",
    "SELECT " TOCSIN_DEFINITION_COLUMNS ", " TOCSIN_STATE_COLUMNS " FROM " TOCSIN_MONITOR_TABLES
    " WHERE m.monitor_id > $1::bigint AND m.deleted_at IS NULL "
    "AND (s.state = 2 OR s.state = 1 AND (s.armed_at IS NOT NULL OR s.last_at IS NOT NULL "
    "OR s.open_runs > 0)) "
    "AND (s.last_at IS NULL OR s.last_at < $2::timestamptz OR (m.created_at < $4::timestamptz "
    "AND (m.cron IS NOT NULL OR m.timeout_us + m.grace_us < $5::bigint))) "
    "ORDER BY m.monitor_id LIMIT $3::integer"};

absl::StatusOr<std::vector<ProjectKey>> ReadProjects(absl::StatusOr<Rows> rows) {
  RETURN_IF_ERROR(rows.status());
  std::vector<ProjectKey> projects;
  for (int i = 0; i < rows->size(); ++i) projects.push_back(rows->at(i).Int());
  RETURN_IF_ERROR(rows->status());
  return projects;
}

}  // namespace

absl::StatusOr<std::vector<Touch>> PgTransaction::ReadTouches() {
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kReadTouches));
  std::vector<Touch> touches;
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    Touch touch;
    touch.instance = row.Text();
    touch.at = row.Time();
    touch.gateways = row.Int32();
    touch.gateway_seen_at = row.TimeOr(absl::InfinitePast());
    touches.push_back(std::move(touch));
  }
  RETURN_IF_ERROR(rows.status());
  return touches;
}

absl::Status PgTransaction::SaveTouch(const Touch& touch) {
  Params params;
  params.Text(touch.instance).Time(touch.at).Int(touch.gateways);
  if (touch.gateway_seen_at == absl::InfinitePast()) {
    params.Null();
  } else {
    params.Time(touch.gateway_seen_at);
  }
  return session_.Run(kSaveTouch, params).status();
}

absl::Status PgTransaction::ForgetTouches(absl::Time before) {
  return session_.Run(kForgetTouches, Params().Time(before)).status();
}

absl::Status PgTransaction::AddGap(const Gap& gap) {
  return session_
      .Run(kAddGap, Params().Int(static_cast<int>(gap.kind)).Time(gap.start).Time(gap.end))
      .status();
}

absl::StatusOr<std::vector<StoredGap>> PgTransaction::LockUntoldGaps(absl::Time ended_by) {
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kLockUntoldGaps, Params().Time(ended_by)));
  std::vector<StoredGap> gaps;
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    StoredGap stored;
    stored.key = row.Int();
    stored.gap.kind = row.As<GapKind>();
    stored.gap.start = row.Time();
    stored.gap.end = row.Time();
    gaps.push_back(stored);
  }
  RETURN_IF_ERROR(rows.status());
  return gaps;
}

absl::Status PgTransaction::MarkGapsTold(absl::Span<const int64_t> keys) {
  return session_.Run(kMarkGapsTold, Params().Keys8(keys)).status();
}

absl::StatusOr<bool> PgTransaction::ClaimSilence(absl::Time since, const ToldSilence& told) {
  BinaryArray deliveries(ElementType::kText, told.deliveries.size());
  for (const std::string& id : told.deliveries) deliveries.AddBytes(id);
  Params params;
  params.Time(since).Keys8(told.projects).Array(std::move(deliveries));
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kClaimSilence, params));
  return rows.affected() > 0;
}

absl::StatusOr<std::vector<ProjectKey>> PgTransaction::EndSilence(absl::Time from, absl::Time until,
                                                                  absl::Time now) {
  RETURN_IF_ERROR(Flush());
  return ReadProjects(session_.Run(kEndSilence, Params().Time(from).Time(until).Time(now)));
}

absl::StatusOr<std::vector<ProjectKey>> PgTransaction::ProjectsOverHttp() {
  return ReadProjects(session_.Run(kProjectsOverHttp));
}

absl::StatusOr<std::vector<Monitor>> PgTransaction::MonitorsAround(const Gap& gap, MonitorKey after,
                                                                   int limit) {
  ASSIGN_OR_RETURN(Rows rows,
                   session_.Run(kMonitorsAround,
                                Params().Int(after).Time(gap.end).Int(limit).Time(gap.start).Int(
                                    absl::ToInt64Microseconds(gap.end - gap.start))));
  std::vector<Monitor> monitors;
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    monitors.push_back(ReadMonitor(row));
  }
  RETURN_IF_ERROR(rows.status());
  return monitors;
}

}  // namespace tocsin::core::pg
