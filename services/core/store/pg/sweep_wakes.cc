// What a change of maintenances asks the sweeper to look at again: noted with the change, done
// after it in parts.
#include <algorithm>
#include <string>
#include <vector>

#include "common/status_macros.h"
#include "services/core/store/pg/binary_array.h"
#include "services/core/store/pg/pg_store.h"
#include "services/core/store/pg/pg_transaction.h"

namespace tocsin::core {
namespace pg {
namespace {

constexpr Statement kNote = {
    "note_sweep_wake",
    "INSERT INTO sweep_wake (project_id, at, monitors) SELECT $1::integer, $2::timestamptz, "
    "CASE WHEN cardinality($3::text[]) > 0 THEN $3::text[] END"};

constexpr Statement kTake = {
    "take_sweep_wake",
    "SELECT w.wake_id, w.project_id, w.at, w.after_id, w.monitors IS NOT NULL FROM sweep_wake w "
    "ORDER BY w.wake_id LIMIT 1 FOR UPDATE SKIP LOCKED"};

constexpr Statement kNamed = {
    "sweep_wake_named",
    "SELECT m.monitor_id, m.id FROM sweep_wake w JOIN monitor m ON m.project_id = w.project_id "
    "AND m.id = ANY (w.monitors) WHERE w.wake_id = $1::bigint AND m.id > $2::text "
    "AND m.deleted_at IS NULL ORDER BY m.id LIMIT $3::integer"};

constexpr Statement kOfProject = {
    "sweep_wake_of_project",
    "SELECT m.monitor_id, m.id FROM monitor m WHERE m.project_id = $1::integer "
    "AND m.id > $2::text AND m.deleted_at IS NULL ORDER BY m.id LIMIT $3::integer"};

// Whoever judged by what was before the change holds the rows of states: it is waited for. By a
// statement of its own: the one that waits sees what was before.
constexpr Statement kHold = {
    "sweep_wake_hold",
    "SELECT s.monitor_id FROM monitor_state s WHERE s.monitor_id = ANY ($1::bigint[]) "
    "ORDER BY s.monitor_id FOR NO KEY UPDATE"};

constexpr Statement kWake = {
    "sweep_wake",
    "UPDATE monitor_sweep w SET sweep_at = $1::timestamptz "
    "WHERE w.monitor_id = ANY ($2::bigint[]) AND w.sweep_at > $1::timestamptz"};

constexpr Statement kAdvance = {
    "advance_sweep_wake", "UPDATE sweep_wake SET after_id = $2::text WHERE wake_id = $1::bigint"};

constexpr Statement kDone = {"sweep_wake_done",
                             "DELETE FROM sweep_wake WHERE wake_id = $1::bigint"};

// Does a part of the oldest wake that nobody else is at. False: there is none.
absl::StatusOr<bool> WakePart(Session& session, int most) {
  ASSIGN_OR_RETURN(Rows taken, session.Run(kTake));
  if (taken.empty()) return false;
  Row wake = taken.at(0);
  const int64_t key = wake.Int();
  const int64_t project = wake.Int();
  const absl::Time at = wake.Time();
  std::string after_id = wake.Text();
  const bool named = wake.Bool();
  RETURN_IF_ERROR(taken.status());
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(named ? kNamed : kOfProject,
                               Params().Int(named ? key : project).Text(after_id).Int(most)));
  std::vector<MonitorKey> monitors;
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    monitors.push_back(row.Int());
    after_id = row.Text();
  }
  RETURN_IF_ERROR(rows.status());
  if (!monitors.empty()) {
    RETURN_IF_ERROR(session.Run(kHold, Params().Keys8(monitors)).status());
    RETURN_IF_ERROR(session.Run(kWake, Params().Time(at).Keys8(monitors)).status());
  }
  if (rows.size() < most)
    RETURN_IF_ERROR(session.Run(kDone, Params().Int(key)).status());
  else
    RETURN_IF_ERROR(session.Run(kAdvance, Params().Int(key).Text(after_id)).status());
  return true;
}

}  // namespace

absl::Status PgTransaction::NoteWake(ProjectKey project, absl::Span<const std::string> monitors,
                                     absl::Time now) {
  BinaryArray ids(ElementType::kText, monitors.size());
  for (const std::string& id : monitors) ids.AddBytes(id);
  return session_.Run(kNote, Params().Int(project).Time(now).Array(std::move(ids))).status();
}

}  // namespace pg

absl::StatusOr<bool> PgStore::WakeSweeps(int most) {
  bool woken = false;
  RETURN_IF_ERROR(InTransaction(admin_, [&](pg::Session& session) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(woken, pg::WakePart(session, most));
    pg::Announcement news;
    news.sweep = woken;
    return news.Encode();
  }));
  return woken;
}

}  // namespace tocsin::core
