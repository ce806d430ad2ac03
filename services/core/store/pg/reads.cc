// What people and the engine read; each operation is one statement and so sees one snapshot.
#include <limits>

#include "common/status_macros.h"
#include "services/core/store/pg/alert_rows.h"
#include "services/core/store/pg/heartbeat_rows.h"
#include "services/core/store/pg/hot_statements.h"
#include "services/core/store/pg/monitor_rows.h"
#include "services/core/store/pg/monitor_views.h"
#include "services/core/store/pg/pg_store.h"

namespace tocsin::core {

// Only what is said to be not NULL is found in the index.
const pg::Statement pg::kNextSweepAt = {
    "next_sweep",
    "SELECT w.sweep_at FROM monitor_sweep w "
    "WHERE (w.sweep_at, w.monitor_id) > ($1::timestamptz, $2::bigint) "
    "AND w.sweep_at IS NOT NULL ORDER BY w.sweep_at, w.monitor_id LIMIT 1"};

namespace {

constexpr pg::Statement kFindMonitor = {"find_monitor",
                                        "SELECT " TOCSIN_DEFINITION_COLUMNS
                                        ", " TOCSIN_STATE_COLUMNS " FROM " TOCSIN_MONITOR_TABLES
                                        " WHERE p.id = $1::text AND p.deleted_at IS NULL "
                                        "AND m.id = $2::text"};

constexpr pg::Statement kReadMonitor = {
    "read_monitor", TOCSIN_SELECT_MONITOR_VIEW
    "WHERE p.id = $1::text AND p.deleted_at IS NULL AND m.id = $2::text"};

constexpr pg::Statement kListHeartbeats = {
    "list_heartbeats", "SELECT " TOCSIN_HEARTBEAT_WITH("CASE WHEN $5::boolean THEN h.output END")
                       " FROM ("
                       "(SELECT " TOCSIN_HEARTBEAT_ROW
                       " FROM heartbeat h WHERE h.monitor_id = $1::bigint "
                       "AND h.received_at <= $2::timestamptz "
                       "AND (h.received_at < $2::timestamptz OR h.push_id < $3::bigint) "
                       "AND (NOT $6::boolean OR h.kind IN (1, 2)) "
                       "ORDER BY h.received_at DESC, h.push_id DESC LIMIT $4::integer) "
                       "UNION ALL (SELECT " TOCSIN_HEARTBEAT_ROW
                       " FROM heartbeat_kept h WHERE h.monitor_id = $1::bigint "
                       "AND (h.received_at, h.push_id) < ($2::timestamptz, $3::bigint) "
                       "AND (NOT $6::boolean OR h.kind IN (1, 2)))) h "
                       "ORDER BY h.received_at DESC, h.push_id DESC LIMIT $4::integer"};

constexpr pg::Statement kListIncidents = {
    "list_incidents",
    "SELECT p.id, m.id, " TOCSIN_INCIDENT_COLUMNS
    " FROM incident i JOIN monitor m ON m.monitor_id = i.monitor_id "
    "JOIN project p ON p.project_id = i.project_id "
    "WHERE i.project_id = $1::integer AND ($2::bigint IS NULL OR i.monitor_id = $2::bigint) "
    "AND (NOT $3::boolean OR i.closed_at IS NULL) AND i.incident_id < $4::bigint "
    "ORDER BY i.incident_id DESC LIMIT $5::integer"};

constexpr pg::Statement kReadIncident = {
    "read_incident", "SELECT p.id, m.id, " TOCSIN_INCIDENT_COLUMNS
                     " FROM incident i JOIN monitor m ON m.monitor_id = i.monitor_id "
                     "JOIN project p ON p.project_id = i.project_id "
                     "WHERE p.id = $1::text AND p.deleted_at IS NULL "
                     "AND i.incident_id = $2::bigint"};

constexpr pg::Statement kListChannels = {
    "list_channels",
    "SELECT " TOCSIN_CHANNEL_COLUMNS
    " FROM channel c JOIN project p ON p.project_id = c.project_id "
    "WHERE c.project_id = $1::integer AND c.id > $2::text AND c.deleted_at IS NULL "
    "ORDER BY c.id LIMIT $3::integer"};

constexpr pg::Statement kListDeliveries = {
    "list_deliveries",
    "SELECT p.id, c.id, m.id, " TOCSIN_DELIVERY_COLUMNS
    " FROM delivery d JOIN project p ON p.project_id = d.project_id "
    "JOIN channel c ON c.channel_id = d.channel_id "
    "LEFT JOIN monitor m ON m.monitor_id = d.monitor_id "
    "WHERE d.project_id = $1::integer AND ($2::bigint IS NULL OR d.channel_id = $2::bigint) "
    "AND ($3::bigint IS NULL OR d.monitor_id = $3::bigint) "
    "AND ($4::smallint IS NULL OR d.state = $4::smallint) AND d.project_id > 0 "
    "AND d.delivery_id < $5::bigint ORDER BY d.delivery_id DESC LIMIT $6::integer"};

constexpr pg::Statement kFindProject = {"find_project",
                                        "SELECT p.project_id FROM project p WHERE p.id = $1::text "
                                        "AND p.deleted_at IS NULL"};

constexpr pg::Statement kReadGaps = {
    "read_gaps",
    "SELECT g.kind, g.start_at, g.end_at FROM gap g WHERE g.end_at >= $1::timestamptz "
    "ORDER BY g.end_at, g.gap_id"};

// Deleted monitors are few and indexed: they are counted apart.
constexpr pg::Statement kTroubledProjects = {
    "troubled_projects",
    "SELECT DISTINCT c.project_id FROM channel c WHERE c.deleted_at IS NULL "
    "AND (c.disabled_at IS NOT NULL OR c.failing_since IS NOT NULL)"};

constexpr pg::Statement kCensus = {
    "census",
    "WITH counted AS (SELECT s.state, count(*) AS monitors FROM monitor_state s GROUP BY s.state "
    "UNION ALL SELECT s.state, -count(*) FROM monitor m JOIN monitor_state s "
    "ON s.monitor_id = m.monitor_id WHERE m.deleted_at IS NOT NULL GROUP BY s.state) "
    "SELECT coalesce((SELECT sum(monitors) FROM counted WHERE state = 1), 0), "
    "coalesce((SELECT sum(monitors) FROM counted WHERE state = 2), 0), "
    "coalesce((SELECT sum(monitors) FROM counted WHERE state = 3), 0), "
    "coalesce((SELECT sum(monitors) FROM counted WHERE state = 4), 0), "
    "(SELECT count(*) FROM incident i WHERE i.closed_at IS NULL), "
    "(SELECT count(*) FROM delivery d WHERE d.state = 1 AND d.project_id > 0), "
    "dead.number, dead.newest, "
    "due.number, due.oldest, "
    "(SELECT count(*) FROM channel c WHERE c.failing_since IS NOT NULL AND c.deleted_at IS NULL), "
    "(SELECT count(*) FROM channel c WHERE c.disabled_at IS NOT NULL AND c.deleted_at IS NULL), "
    "(SELECT p.start_at FROM rollup_progress p WHERE p.span = 1), "
    "(SELECT min(w.sweep_at) FROM monitor_sweep w) "
    "FROM (SELECT count(*) AS number, min(p.due_at) AS oldest FROM "
    "(SELECT d.next_attempt_at + CASE WHEN d.gather THEN c.group_wait_us ELSE 0 END * "
    "interval '1 microsecond' AS due_at FROM delivery d "
    "JOIN channel c ON c.channel_id = d.channel_id "
    "WHERE d.state = 1 AND d.next_attempt_at <= $1::timestamptz) p "
    "WHERE p.due_at <= $1::timestamptz) due, (SELECT count(*) AS number, max(d.finished_at) AS "
    "newest FROM delivery d "
    "JOIN channel c ON c.channel_id = d.channel_id "
    "WHERE d.state = 3 AND d.project_id > 0 AND c.deleted_at IS NULL) dead"};

int64_t BeforeKey(int64_t before) {
  return before == 0 ? std::numeric_limits<int64_t>::max() : before;
}

IncidentView ReadIncidentView(pg::Row& row) {
  IncidentView view;
  view.project_id = row.Text();
  view.monitor_id = row.Text();
  view.incident = pg::ReadIncident(row);
  return view;
}

// Reads each row by `read`, which may be a function that returns a value.
template <typename Value, typename Reader>
absl::StatusOr<std::vector<Value>> ReadAll(absl::StatusOr<pg::Rows> rows, Reader read) {
  RETURN_IF_ERROR(rows.status());
  std::vector<Value> values;
  values.reserve(rows->size());
  for (int i = 0; i < rows->size(); ++i) {
    pg::Row row = rows->at(i);
    values.push_back(read(row));
  }
  RETURN_IF_ERROR(rows->status());
  return values;
}

template <typename Value, typename Reader>
absl::StatusOr<std::optional<Value>> ReadFirst(absl::StatusOr<pg::Rows> rows, Reader read) {
  RETURN_IF_ERROR(rows.status());
  if (rows->empty()) return std::optional<Value>();
  pg::Row row = rows->at(0);
  std::optional<Value> value = read(row);
  RETURN_IF_ERROR(rows->status());
  return value;
}

}  // namespace

// By keys, with plans that are kept: planning would take twenty times as long as the reading. Apart
// from lists, of which a few slow ones must not hold it up.
absl::StatusOr<std::optional<Monitor>> PgStore::FindMonitor(const std::string& project,
                                                            const std::string& id) {
  return ReadFirst<Monitor>(ReadOn(monitor_, kFindMonitor, pg::Params().Text(project).Text(id)),
                            &pg::ReadMonitor);
}

absl::StatusOr<std::optional<MonitorView>> PgStore::ReadMonitor(const std::string& project,
                                                                const std::string& id) {
  return ReadFirst<MonitorView>(ReadOn(monitor_, kReadMonitor, pg::Params().Text(project).Text(id)),
                                &pg::ReadMonitorView);
}

absl::StatusOr<std::vector<StoredHeartbeat>> PgStore::ListHeartbeats(const HeartbeatQuery& query) {
  return ReadAll<StoredHeartbeat>(ReadOn(monitor_, kListHeartbeats,
                                         pg::Params()
                                             .Int(query.monitor)
                                             .Time(query.before)
                                             .Int(pg::FromPushId(query.before_push_id))
                                             .Int(query.limit)
                                             .Bool(query.with_output)
                                             .Bool(query.ends_only)),
                                  &pg::ReadStoredHeartbeat);
}

absl::StatusOr<std::vector<IncidentView>> PgStore::ListIncidents(const IncidentQuery& query) {
  return ReadAll<IncidentView>(Read(kListIncidents, pg::Params()
                                                        .Int(query.project)
                                                        .IntOrNull(query.monitor)
                                                        .Bool(query.open_only)
                                                        .Int(BeforeKey(query.before))
                                                        .Int(query.limit)),
                               &ReadIncidentView);
}

absl::StatusOr<std::optional<IncidentView>> PgStore::ReadIncident(const std::string& project,
                                                                  IncidentKey key) {
  return ReadFirst<IncidentView>(Read(kReadIncident, pg::Params().Text(project).Int(key)),
                                 &ReadIncidentView);
}

absl::StatusOr<std::vector<Channel>> PgStore::ListChannels(const ChannelQuery& query) {
  return ReadAll<Channel>(
      Read(kListChannels, pg::Params().Int(query.project).Text(query.after_id).Int(query.limit)),
      [&](pg::Row& row) { return pg::ReadChannel(row, sealer_); });
}

absl::StatusOr<std::vector<DeliveryView>> PgStore::ListDeliveries(const DeliveryQuery& query) {
  ASSIGN_OR_RETURN(pg::Rows rows, Read(kListDeliveries, pg::Params()
                                                            .Int(query.project)
                                                            .IntOrNull(query.channel)
                                                            .IntOrNull(query.monitor)
                                                            .EnumOrNull(query.state)
                                                            .Int(BeforeKey(query.before))
                                                            .Int(query.limit)));
  std::vector<DeliveryView> views;
  for (int i = 0; i < rows.size(); ++i) {
    pg::Row row = rows.at(i);
    DeliveryView view;
    view.project_id = row.Text();
    view.channel_id = row.Text();
    view.monitor_id = row.Text();
    ASSIGN_OR_RETURN(view.delivery, pg::ReadDelivery(row));
    views.push_back(std::move(view));
  }
  RETURN_IF_ERROR(rows.status());
  return views;
}

absl::StatusOr<std::optional<ProjectKey>> PgStore::FindProject(const std::string& id) {
  return ReadFirst<ProjectKey>(Read(kFindProject, pg::Params().Text(id)),
                               [](pg::Row& row) { return row.Int(); });
}

absl::StatusOr<GapList> PgStore::ReadGaps(absl::Time since) {
  return ReadAll<Gap>(ReadOn(engine_, kReadGaps, pg::Params().Time(since)), [](pg::Row& row) {
    Gap gap;
    gap.kind = row.As<GapKind>();
    gap.start = row.Time();
    gap.end = row.Time();
    return gap;
  });
}

absl::StatusOr<absl::Time> PgStore::NextSweepAt(const SweepCursor& after) {
  ASSIGN_OR_RETURN(pg::SessionPool::Lease session, sweeper_.Take());
  RETURN_IF_ERROR(session->Ready());
  ASSIGN_OR_RETURN(
      pg::Rows rows,
      session->Run(pg::kNextSweepAt, pg::Params().Time(after.sweep_at).Int(after.monitor)));
  if (rows.empty()) return absl::InfiniteFuture();
  const absl::Time next = rows.at(0).Time();
  RETURN_IF_ERROR(rows.status());
  return next;
}

absl::StatusOr<std::vector<ProjectKey>> PgStore::TroubledProjects() {
  return ReadAll<ProjectKey>(ReadOn(engine_, kTroubledProjects, pg::Params()),
                             [](pg::Row& row) { return static_cast<ProjectKey>(row.Int()); });
}

absl::StatusOr<Census> PgStore::TakeCensus(absl::Time now) {
  ASSIGN_OR_RETURN(pg::Rows rows, Read(kCensus, pg::Params().Time(now)));
  pg::Row row = rows.at(0);
  Census census;
  for (const State state : {State::kNew, State::kUp, State::kDown, State::kPaused}) {
    census.monitors[state] = row.Int();
  }
  census.open_incidents = row.Int();
  census.deliveries[DeliveryState::kPending] = row.Int();
  census.deliveries[DeliveryState::kDead] = row.Int();
  census.newest_dead = row.TimeOr(absl::InfinitePast());
  census.overdue_deliveries = row.Int();
  census.oldest_due = now - row.TimeOr(now);
  census.failing_channels = row.Int();
  census.disabled_channels = row.Int();
  census.rollup_lag = RollupLag(row.TimeOr(absl::InfinitePast()), now);
  census.sweep_lag = std::max(now - row.TimeOr(now), absl::ZeroDuration());
  RETURN_IF_ERROR(rows.status());
  return census;
}

}  // namespace tocsin::core
