// The transaction's operations on the history of heartbeats.
#include "common/status_macros.h"
#include "services/core/store/pg/heartbeat_rows.h"
#include "services/core/store/pg/pg_transaction.h"

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
    "exit_status, value, run_id, message) "
    "SELECT u.received_at, u.monitor_id, u.push_id, s.project_id, u.kind, u.source, u.reason, "
    "u.exit_status, u.value, u.run_id, u.message "
    "FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[], $4::smallint[], $5::smallint[], "
    "$6::smallint[], $7::smallint[], $8::double precision[], $9::text[], $10::text[]) "
    "AS u (monitor_id, received_at, push_id, kind, source, reason, exit_status, value, run_id, "
    "message) JOIN monitor_state s ON s.monitor_id = u.monitor_id"};

// What is newer than the newest that moved the state can only have been stored while paused.
// Bounding the search by last_at keeps it out of older partitions.
constexpr Statement kNewestHeartbeat = {
    "newest_heartbeat",
    "SELECT " TOCSIN_HEARTBEAT_COLUMNS
    " FROM monitor_state s CROSS JOIN LATERAL ("
    "(SELECT " TOCSIN_HEARTBEAT_COLUMNS
    " FROM heartbeat h WHERE h.monitor_id = s.monitor_id "
    "AND h.received_at >= coalesce(s.last_at, '-infinity') AND h.kind IN (1, 2) "
    "ORDER BY h.received_at DESC, h.push_id DESC LIMIT 1) "
    "UNION ALL (SELECT " TOCSIN_HEARTBEAT_COLUMNS
    " FROM heartbeat_kept h "
    "WHERE h.monitor_id = s.monitor_id) "
    "ORDER BY received_at DESC LIMIT 1) h "
    "WHERE s.monitor_id = $1::bigint"};

}  // namespace

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
  const size_t n = heartbeats.size();
  BinaryArray monitor(ElementType::kInt8, n), at(ElementType::kTimestamptz, n),
      push(ElementType::kInt8, n), kind(ElementType::kInt2, n), source(ElementType::kInt2, n),
      reason(ElementType::kInt2, n), exit_status(ElementType::kInt2, n),
      value(ElementType::kFloat8, n), run(ElementType::kText, n), message(ElementType::kText, n);
  for (const StoredHeartbeat& stored : heartbeats) {
    const Heartbeat& heartbeat = stored.heartbeat;
    monitor.AddInt8(stored.monitor);
    at.AddTime(heartbeat.at);
    push.AddInt8(FromPushId(heartbeat.push_id));
    kind.AddInt2(static_cast<int16_t>(heartbeat.kind));
    source.AddInt2(static_cast<int16_t>(heartbeat.source));
    if (stored.reason == Reason::kRecorded) {
      reason.AddNull();
    } else {
      reason.AddInt2(static_cast<int16_t>(stored.reason));
    }
    exit_status.AddInt2OrNull(heartbeat.exit_status);
    value.AddFloat8OrNull(heartbeat.value);
    run.AddTextOrNull(heartbeat.run_id);
    message.AddTextOrNull(IsDefaultMessage(heartbeat.message) ? "" : heartbeat.message);
  }
  Params params;
  for (BinaryArray* array :
       {&monitor, &at, &push, &kind, &source, &reason, &exit_status, &value, &run, &message}) {
    params.Array(std::move(*array));
  }
  return session_.Run(kAddHeartbeats, params).status();
}

absl::StatusOr<std::optional<Heartbeat>> PgTransaction::NewestHeartbeat(MonitorKey monitor) {
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kNewestHeartbeat, Params().Int(monitor)));
  if (rows.empty()) return std::nullopt;
  Row row = rows.at(0);
  Heartbeat newest = ReadStoredHeartbeat(row).heartbeat;
  RETURN_IF_ERROR(rows.status());
  return newest;
}

}  // namespace tocsin::core::pg
