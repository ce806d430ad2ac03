// What a change of maintenances asks the sweeper to look at again: noted with the change, done
// after it in parts.
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "services/core/store/pg/binary_array.h"
#include "services/core/store/pg/monitor_rows.h"
#include "services/core/store/pg/pg_store.h"
#include "services/core/store/pg/pg_transaction.h"

namespace tocsin::core {
namespace pg {
namespace {

constexpr Statement kNoteNamed = {
    "note_sweep_wake",
    "INSERT INTO sweep_wake (project_id, monitors) VALUES ($1::integer, $2::text[])"};

// One that is noted and not begun will do for this, too. One that somebody has begun is locked by
// him, and then has another `after_id`.
constexpr Statement kNoteProject = {
    "note_sweep_wake_of_project",
    "WITH noted AS (UPDATE sweep_wake SET after_id = '' WHERE project_id = $1::integer "
    "AND monitors IS NULL AND after_id = '' RETURNING true) "
    "INSERT INTO sweep_wake (project_id) SELECT $1::integer WHERE NOT EXISTS (SELECT FROM noted)"};

// $1: up to which; zero: any.
constexpr Statement kTake = {"take_sweep_wake",
                             "SELECT w.wake_id, w.project_id, w.after_id, w.monitors IS NOT NULL, "
                             "(SELECT max(n.wake_id) FROM sweep_wake n) FROM sweep_wake w "
                             "WHERE $1::bigint = 0 OR w.wake_id <= $1::bigint "
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

// By a statement of its own: the one that locks sees what was before the lock.
constexpr Statement kWake = {
    "sweep_wake",
    "UPDATE monitor_sweep w SET sweep_at = $1::timestamptz "
    "WHERE w.monitor_id = ANY ($2::bigint[]) AND w.sweep_at > $1::timestamptz"};

constexpr Statement kAdvance = {
    "advance_sweep_wake", "UPDATE sweep_wake SET after_id = $2::text WHERE wake_id = $1::bigint"};

constexpr Statement kDone = {"sweep_wake_done",
                             "DELETE FROM sweep_wake WHERE wake_id = $1::bigint"};

struct Wake {
  int64_t key = 0;
  ProjectKey project = 0;
  std::string after_id;
  bool named = false;
};

// The oldest that nobody else is at, of those up to `up_to`, which is set if it was zero: what is
// noted later is for another round.
absl::StatusOr<std::optional<Wake>> TakeWake(Session& session, int64_t& up_to) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(kTake, Params().Int(up_to)));
  if (rows.empty()) return std::nullopt;
  Row row = rows.at(0);
  Wake wake;
  wake.key = row.Int();
  wake.project = row.Int();
  wake.after_id = row.Text();
  wake.named = row.Bool();
  const int64_t newest = row.Int();
  RETURN_IF_ERROR(rows.status());
  if (up_to == 0) up_to = newest;
  return wake;
}

absl::Status NoteNamed(Session& session, ProjectKey project, absl::Span<const std::string> ids) {
  BinaryArray array(ElementType::kText, ids.size());
  for (const std::string& id : ids) array.AddBytes(id);
  return session.Run(kNoteNamed, Params().Int(project).Array(std::move(array))).status();
}

enum class Progress { kNothingLeft, kSome, kAllHeld };

// kAllHeld: others hold all of the part, which is noted anew.
absl::StatusOr<Progress> WakePart(Session& session, int most, absl::Time now, int64_t& up_to) {
  ASSIGN_OR_RETURN(std::optional<Wake> wake, TakeWake(session, up_to));
  if (!wake.has_value()) return Progress::kNothingLeft;
  ASSIGN_OR_RETURN(
      Rows rows,
      session.Run(
          wake->named ? kNamed : kOfProject,
          Params().Int(wake->named ? wake->key : wake->project).Text(wake->after_id).Int(most)));
  std::map<MonitorKey, std::string> left;
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    const MonitorKey monitor = row.Int();
    left[monitor] = wake->after_id = row.Text();
  }
  RETURN_IF_ERROR(rows.status());
  std::vector<MonitorKey> monitors;
  for (const auto& [monitor, id] : left) monitors.push_back(monitor);
  // Whoever judged by what was before the change holds the rows of states. What is held is left for
  // later: to wait for it with the locks of others would make those wait who push to them.
  ASSIGN_OR_RETURN(Rows held, session.Run(kLockMonitorsSkip, Params().Keys8(monitors)));
  monitors.clear();
  for (int i = 0; i < held.size(); ++i) monitors.push_back(held.at(i).Int());
  RETURN_IF_ERROR(held.status());
  if (!monitors.empty()) {
    RETURN_IF_ERROR(session.Run(kWake, Params().Time(now).Keys8(monitors)).status());
  }
  for (const MonitorKey monitor : monitors) left.erase(monitor);
  if (!left.empty()) {
    std::vector<std::string> ids;
    for (const auto& [monitor, id] : left) ids.push_back(id);
    RETURN_IF_ERROR(NoteNamed(session, wake->project, ids));
  }
  const bool done = rows.size() < most;
  RETURN_IF_ERROR(
      done ? session.Run(kDone, Params().Int(wake->key)).status()
           : session.Run(kAdvance, Params().Int(wake->key).Text(wake->after_id)).status());
  return left.empty() || !monitors.empty() ? Progress::kSome : Progress::kAllHeld;
}

}  // namespace

absl::Status PgTransaction::NoteWake(ProjectKey project, absl::Span<const std::string> monitors) {
  if (!monitors.empty()) return NoteNamed(session_, project, monitors);
  return session_.Run(kNoteProject, Params().Int(project)).status();
}

}  // namespace pg

absl::StatusOr<bool> PgStore::WakeSweeps(int most, absl::Time now) {
  using enum pg::Progress;
  int64_t up_to = 0;
  pg::Progress progress = kAllHeld;
  // Each wake that is held is passed over once.
  while (progress == kAllHeld) {
    const absl::Status done =
        InTransaction(admin_, [&](pg::Session& session) -> absl::StatusOr<std::string> {
          ASSIGN_OR_RETURN(progress, pg::WakePart(session, most, now, up_to));
          pg::Announcement news;
          news.sweep = progress == kSome;
          return news.Encode();
        });
    RETURN_IF_ERROR(done);
  }
  return progress == kSome;
}

}  // namespace tocsin::core
