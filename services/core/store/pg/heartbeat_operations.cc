// The transaction's operations on the history of heartbeats.
#include "common/status_macros.h"
#include "services/core/store/pg/heartbeat_rows.h"
#include "services/core/store/pg/monitor_rows.h"
#include "services/core/store/pg/pg_transaction.h"
#include "services/core/store/pg/row_arrays.h"

namespace tocsin::core::pg {
namespace {

constexpr absl::Duration kRetryWindow = absl::Seconds(15);

constexpr Statement kFindRecorded = {
    "find_recorded",
    "SELECT u.number FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], "
    "$4::timestamptz[]) WITH ORDINALITY AS u (monitor_id, push_id, low, high, number) "
    "WHERE EXISTS (SELECT FROM heartbeat h WHERE h.monitor_id = u.monitor_id "
    "AND h.received_at BETWEEN u.low AND u.high AND h.push_id = u.push_id)"};

constexpr Statement kAddHeartbeats = {
    "add_heartbeats",
    "INSERT INTO heartbeat (received_at, monitor_id, push_id, project_id, kind, source, reason, "
    "exit_status, value, run_id, message, run_duration_us, output) "
    "SELECT u.received_at, u.monitor_id, u.push_id, s.project_id, u.kind, u.source, u.reason, "
    "u.exit_status, u.value, u.run_id, u.message, u.run_duration_us, u.output "
    "FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[], $4::smallint[], $5::smallint[], "
    "$6::smallint[], $7::smallint[], $8::double precision[], $9::text[], $10::text[], "
    "$11::bigint[], $12::bytea[]) "
    "AS u (monitor_id, received_at, push_id, kind, source, reason, exit_status, value, run_id, "
    "message, run_duration_us, output) JOIN monitor_state s ON s.monitor_id = u.monitor_id"};

// What is newer than the newest that moved the state can only have been stored while paused.
// Bounding the search by last_at keeps it out of older partitions, and $1 out of those of the days
// to come, each of which would be asked for each monitor.
constexpr Statement kNewestHeartbeats = {
    "newest_heartbeats",
    "SELECT " TOCSIN_HEARTBEAT_WITH(
        "substring(h.output FROM greatest(octet_length(h.output) - 1023, 1))")
    " FROM unnest($2::bigint[], $3::timestamptz[]) AS s (monitor_id, last_at) CROSS JOIN LATERAL ("
    "SELECT " TOCSIN_HEARTBEAT_ROW
    " FROM heartbeat h WHERE h.monitor_id = s.monitor_id "
    "AND h.received_at >= coalesce(s.last_at, '-infinity') "
    "AND h.received_at <= $1::timestamptz AND h.kind IN (1, 2) "
    "ORDER BY h.received_at DESC, h.push_id DESC LIMIT 1) h"};

// What was kept of a monitor is older than all that its history still has.
constexpr Statement kKeptHeartbeats = {
    "kept_heartbeats",
    "SELECT " TOCSIN_HEARTBEAT_WITH(
        "substring(h.output FROM greatest(octet_length(h.output) - 1023, 1))")
    " FROM heartbeat_kept h WHERE h.monitor_id = ANY ($1::bigint[])"};

std::optional<int64_t> Micros(const std::optional<absl::Duration>& duration) {
  if (!duration.has_value()) return std::nullopt;
  return absl::ToInt64Microseconds(*duration);
}

constexpr Statement kFindEndedRuns = {
    "find_ended_runs",
    "SELECT u.number FROM unnest($2::bigint[], $3::text[]) WITH ORDINALITY "
    "AS u (monitor_id, run_id, number) JOIN run r ON r.monitor_id = u.monitor_id "
    "AND r.run_id = u.run_id WHERE r.ended_at >= $1::timestamptz"};

constexpr Statement kAddEndedRuns = {
    "add_ended_runs",
    "INSERT INTO run (monitor_id, run_id, ended_at) "
    "SELECT DISTINCT u.monitor_id, u.run_id, $1::timestamptz "
    "FROM unnest($2::bigint[], $3::text[]) AS u (monitor_id, run_id) "
    "ON CONFLICT (monitor_id, run_id) DO UPDATE SET ended_at = excluded.ended_at"};

void FillRuns(absl::Span<const RunRef> runs, absl::Time time, Params& params) {
  BinaryArray monitors(ElementType::kInt8, runs.size());
  BinaryArray ids(ElementType::kText, runs.size());
  for (const RunRef& run : runs) {
    monitors.AddInt8(run.monitor);
    ids.AddBytes(run.run_id);
  }
  params.Time(time).Array(std::move(monitors)).Array(std::move(ids));
}

}  // namespace

absl::StatusOr<std::vector<bool>> PgTransaction::FindEndedRuns(absl::Span<const RunRef> runs,
                                                               absl::Time since) {
  std::vector<bool> ended(runs.size());
  if (runs.empty()) return ended;
  Params params;
  FillRuns(runs, since, params);
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kFindEndedRuns, params));
  for (int i = 0; i < rows.size(); ++i) ended[static_cast<size_t>(rows.at(i).Int() - 1)] = true;
  RETURN_IF_ERROR(rows.status());
  return ended;
}

absl::Status PgTransaction::AddEndedRuns(absl::Span<const RunRef> runs, absl::Time at) {
  if (runs.empty()) return absl::OkStatus();
  Params params;
  FillRuns(runs, at, params);
  return session_.Run(kAddEndedRuns, params).status();
}

StoredHeartbeat ReadStoredHeartbeat(Row& row) {
  StoredHeartbeat stored;
  Heartbeat& heartbeat = stored.heartbeat;
  stored.monitor = row.Int();
  heartbeat.at = row.Time();
  heartbeat.push_id = ToPushId(row.Int());
  heartbeat.kind = row.As<HeartbeatKind>();
  heartbeat.source = row.As<Source>();
  stored.reason =
      static_cast<Reason>(row.MaybeInt().value_or(static_cast<int64_t>(Reason::kRecorded)));
  heartbeat.exit_status = row.MaybeInt();
  heartbeat.value = row.MaybeDouble();
  heartbeat.run_id = row.Text();
  heartbeat.message = row.Text();
  if (const std::optional<int64_t> micros = row.MaybeInt()) {
    heartbeat.run_duration = absl::Microseconds(*micros);
  }
  stored.output_bytes = static_cast<int32_t>(row.MaybeInt().value_or(0));
  if (row.NextIsNull()) {
    row.Skip();
  } else {
    heartbeat.output = row.Bytes();
  }
  return stored;
}

absl::StatusOr<std::vector<bool>> PgTransaction::FindRecorded(absl::Span<const PushRef> pushes) {
  std::vector<bool> recorded(pushes.size());
  if (pushes.empty()) return recorded;
  BinaryArray monitor(ElementType::kInt8, pushes.size()), push(ElementType::kInt8, pushes.size()),
      low(ElementType::kTimestamptz, pushes.size()), high(ElementType::kTimestamptz, pushes.size());
  for (const PushRef& ref : pushes) {
    monitor.AddInt8(ref.monitor);
    push.AddInt8(FromPushId(ref.push_id));
    low.AddTime(ref.at - kRetryWindow);
    high.AddTime(ref.at + kRetryWindow);
  }
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kFindRecorded, Params()
                                                              .Array(std::move(monitor))
                                                              .Array(std::move(push))
                                                              .Array(std::move(low))
                                                              .Array(std::move(high))));
  for (int i = 0; i < rows.size(); ++i) recorded[rows.at(i).Int() - 1] = true;
  RETURN_IF_ERROR(rows.status());
  return recorded;
}

absl::Status PgTransaction::AddHeartbeats(absl::Span<const StoredHeartbeat> heartbeats) {
  if (heartbeats.empty()) return absl::OkStatus();
  using enum ElementType;
  RowArrays rows({kInt8, kTimestamptz, kInt8, kInt2, kInt2, kInt2, kInt2, kFloat8, kText, kText,
                  kInt8, kBytea},
                 heartbeats.size());
  for (const StoredHeartbeat& stored : heartbeats) {
    const Heartbeat& heartbeat = stored.heartbeat;
    rows.Row()
        .Int8(stored.monitor)
        .Time(heartbeat.at)
        .Int8(FromPushId(heartbeat.push_id))
        .Enum2(heartbeat.kind)
        .Enum2(heartbeat.source)
        .Enum2OrNull(stored.reason == Reason::kRecorded ? std::nullopt
                                                        : std::optional<Reason>(stored.reason))
        .Int2OrNull(heartbeat.exit_status)
        .Float8OrNull(heartbeat.value)
        .TextOrNull(heartbeat.run_id)
        .TextOrNull(IsDefaultMessage(heartbeat.message) ? "" : heartbeat.message)
        .Int8OrNull(Micros(heartbeat.run_duration))
        .BytesOrNull(heartbeat.output);
    newest_.erase(stored.monitor);
  }
  Params params;
  std::move(rows).MoveTo(params);
  return session_.Run(kAddHeartbeats, params).status();
}

absl::Status PgTransaction::ReadNewest(absl::Span<const MonitorKey> monitors, absl::Time now) {
  BinaryArray keys(ElementType::kInt8, monitors.size()),
      last_at(ElementType::kTimestamptz, monitors.size());
  for (const MonitorKey monitor : monitors) {
    keys.AddInt8(monitor);
    // All of the history is searched for one that was not read.
    const auto read = last_at_.find(monitor);
    last_at.AddTimeOrNull(read == last_at_.end() ? std::nullopt : KnownTime(read->second));
  }
  ASSIGN_OR_RETURN(
      Rows rows,
      session_.Run(
          kNewestHeartbeats,
          Params().Time(now + kHeartbeatsAhead).Array(std::move(keys)).Array(std::move(last_at))));
  for (const MonitorKey monitor : monitors) newest_[monitor].reset();
  RETURN_IF_ERROR(NoteNewest(std::move(rows)));
  std::vector<MonitorKey> without;
  for (const MonitorKey monitor : monitors) {
    if (!newest_[monitor].has_value()) without.push_back(monitor);
  }
  if (without.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(Rows kept, session_.Run(kKeptHeartbeats, Params().Keys8(without)));
  return NoteNewest(std::move(kept));
}

absl::Status PgTransaction::NoteNewest(Rows rows) {
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    StoredHeartbeat stored = ReadStoredHeartbeat(row);
    newest_[stored.monitor] = std::move(stored.heartbeat);
  }
  return rows.status();
}

absl::StatusOr<std::optional<Heartbeat>> PgTransaction::NewestHeartbeat(MonitorKey monitor,
                                                                        absl::Time now) {
  if (const auto known = newest_.find(monitor); known != newest_.end()) return known->second;
  // Whoever asks for many will ask for more.
  std::vector<MonitorKey> wanted = {monitor};
  if (++newest_asked_ > kAskedOneByOne) {
    for (const MonitorKey locked : locked_) {
      if (locked != monitor && !newest_.contains(locked)) wanted.push_back(locked);
    }
  }
  RETURN_IF_ERROR(ReadNewest(wanted, now));
  const auto read = newest_.extract(monitor);
  // Without its lock others may add to it.
  if (locked_.contains(monitor)) newest_[monitor] = read.mapped();
  return read.mapped();
}

}  // namespace tocsin::core::pg
