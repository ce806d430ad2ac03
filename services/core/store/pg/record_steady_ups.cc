// The fast path: one statement, one round trip, one commit for a whole group of heartbeats.
#include <algorithm>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"
#include "services/core/store/pg/heartbeat_rows.h"
#include "services/core/store/pg/hot_statements.h"
#include "services/core/store/pg/pg_store.h"

namespace tocsin::core {
namespace pg {

// The update is lock, check and write in one. The arrays are sorted, so rows are locked in order.
// Arrays that are shorter than the first read as NULL. NULL as the answer means all of them.
#define TOCSIN_STEADY_UPDATE                                                                   \
  "WITH up AS (UPDATE monitor_state AS s SET last_at = u.received_at, last_push = u.push_id, " \
  "last_kind = 1, last_source = u.source, credit_at = NULL "                                   \
  "FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::bigint[], $5::smallint[], "  \
  "$6::smallint[], $7::double precision[], $8::text[]) "                                       \
  "AS u (monitor_id, version, received_at, push_id, source, exit_status, value, message) "     \
  "WHERE s.monitor_id = u.monitor_id AND s.version = u.version AND s.state = 2 "               \
  "AND s.open_runs = 0 AND s.failures = 0 AND s.misses = 0 AND s.last_at <= u.received_at "    \
  "AND s.last_push <> u.push_id "                                                              \
  "RETURNING s.project_id, u.monitor_id, u.received_at, u.push_id, u.source, u.exit_status, "  \
  "u.value, u.message), "                                                                      \
  "kept AS (INSERT INTO heartbeat (received_at, monitor_id, push_id, project_id, kind, "       \
  "source, exit_status, value, message) "                                                      \
  "SELECT up.received_at, up.monitor_id, up.push_id, up.project_id, 1, up.source, "            \
  "up.exit_status, up.value, up.message FROM up"

#define TOCSIN_STEADY_ANSWER                                 \
  ") SELECT CASE WHEN count(*) < cardinality($1::bigint[]) " \
  "THEN coalesce(string_agg(up.monitor_id::text, ','), '') END FROM up"

const Statement kRecordSteadyUps = {"record_steady_ups", TOCSIN_STEADY_UPDATE TOCSIN_STEADY_ANSWER};

// IS TRUE keeps the planner from making a join of it, which by its guess of the sizes would
// compare every row with every other; as it is, it is a hash table.
const Statement kRecordSteadyUpsFolded = {
    "record_steady_ups_folded", TOCSIN_STEADY_UPDATE
    " UNION ALL SELECT f.received_at, f.monitor_id, f.push_id, s.project_id, 1, f.source, "
    "f.exit_status, f.value, f.message "
    "FROM unnest($9::bigint[], $10::timestamptz[], $11::bigint[], $12::smallint[], "
    "$13::smallint[], $14::double precision[], $15::text[]) "
    "AS f (monitor_id, received_at, push_id, source, exit_status, value, message) "
    "JOIN monitor_state s ON s.monitor_id = f.monitor_id "
    "WHERE (f.monitor_id IN (SELECT up.monitor_id FROM up)) IS TRUE" TOCSIN_STEADY_ANSWER};

}  // namespace pg
namespace {

constexpr int kTries = 5;

// The columns of one list of ups. What is NULL for all of them is an empty array.
class Columns {
 public:
  explicit Columns(absl::Span<const SteadyUp> ups) {
    bool has_exit_status = false, has_value = false, has_message = false;
    for (const SteadyUp& up : ups) {
      has_exit_status |= up.exit_status.has_value();
      has_value |= up.value.has_value();
      has_message |= !pg::IsDefaultMessage(up.message);
    }
    for (const SteadyUp& up : ups) {
      monitor_.AddInt8(up.monitor);
      version_.AddInt8(up.version);
      at_.AddTime(up.at);
      push_.AddInt8(pg::FromPushId(up.push_id));
      source_.AddInt2(static_cast<int16_t>(up.source));
      if (has_exit_status) exit_status_.AddInt2OrNull(up.exit_status);
      if (has_value) value_.AddFloat8OrNull(up.value);
      if (has_message) {
        message_.AddTextOrNull(pg::IsDefaultMessage(up.message) ? std::string_view() : up.message);
      }
    }
  }

  void MoveTo(pg::Params& params, bool with_version) {
    params.Array(std::move(monitor_));
    if (with_version) params.Array(std::move(version_));
    for (pg::BinaryArray* array : {&at_, &push_, &source_, &exit_status_, &value_, &message_}) {
      params.Array(std::move(*array));
    }
  }

 private:
  pg::BinaryArray monitor_{pg::ElementType::kInt8};
  pg::BinaryArray version_{pg::ElementType::kInt8};
  pg::BinaryArray at_{pg::ElementType::kTimestamptz};
  pg::BinaryArray push_{pg::ElementType::kInt8};
  pg::BinaryArray source_{pg::ElementType::kInt2};
  pg::BinaryArray exit_status_{pg::ElementType::kInt2};
  pg::BinaryArray value_{pg::ElementType::kFloat8};
  pg::BinaryArray message_{pg::ElementType::kText};
};

absl::StatusOr<std::vector<MonitorKey>> ReadAnswer(pg::Rows& rows,
                                                   absl::Span<const SteadyUp> newest) {
  std::vector<MonitorKey> recorded;
  recorded.reserve(newest.size());
  pg::Row row = rows.at(0);
  if (row.NextIsNull()) {
    for (const SteadyUp& up : newest) recorded.push_back(up.monitor);
    return recorded;
  }
  const std::string list = row.Text();
  for (const absl::string_view part : absl::StrSplit(list, ',', absl::SkipEmpty())) {
    MonitorKey key = 0;
    if (!absl::SimpleAtoi(part, &key)) return absl::DataLossError("not a list of monitors");
    recorded.push_back(key);
  }
  std::sort(recorded.begin(), recorded.end());
  return recorded;
}

}  // namespace

absl::StatusOr<std::vector<MonitorKey>> PgStore::RecordSteadyUps(
    int committer, absl::Span<const SteadyUp> newest, absl::Span<const SteadyUp> folded) {
  if (newest.empty()) return std::vector<MonitorKey>();
  pg::Params params;
  Columns(newest).MoveTo(params, /*with_version=*/true);
  if (!folded.empty()) Columns(folded).MoveTo(params, /*with_version=*/false);
  const pg::Statement& statement =
      folded.empty() ? pg::kRecordSteadyUps : pg::kRecordSteadyUpsFolded;
  ASSIGN_OR_RETURN(pg::SessionPool::Lease session, committers_[committer].Take());
  for (int tried = 1;; ++tried) {
    RETURN_IF_ERROR(session->Ready());
    absl::StatusOr<pg::Rows> rows = session->Run(statement, params, pg::Session::Scope::kAlone);
    if (rows.ok()) return ReadAnswer(*rows, newest);
    if (!session->had_conflict() || tried == kTries) return rows.status();
  }
}

}  // namespace tocsin::core
