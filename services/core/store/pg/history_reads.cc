// What is read of a monitor's past for its statistics; each list is one statement.
#include <utility>

#include "common/status_macros.h"
#include "services/core/store/pg/pg_store.h"

namespace tocsin::core {
namespace {

// By the index of the monitor, from its newest on; the key is in the order of opening.
constexpr pg::Statement kIncidents = {
    "history_incidents",
    "SELECT i.cause, i.opened_at, i.detected_at, i.closed_at, i.resolution FROM incident i "
    "WHERE i.monitor_id = $1::bigint "
    "AND (i.closed_at IS NULL OR i.closed_at > $2::timestamptz) "
    "ORDER BY i.incident_id DESC LIMIT $3::integer"};

constexpr pg::Statement kStates = {
    "history_states",
    "SELECT u.start_at, u.end_at FROM unwatched u WHERE u.monitor_id = $1::bigint "
    "AND u.end_at > $2::timestamptz ORDER BY u.end_at DESC LIMIT $3::integer"};

constexpr pg::Statement kSignals = {
    "history_signals",
    "SELECT h.received_at, h.kind, h.value, h.run_duration_us FROM heartbeat h "
    "WHERE h.monitor_id = $1::bigint AND h.received_at >= $2::timestamptz AND h.kind IN (1, 2) "
    "ORDER BY h.received_at DESC, h.push_id DESC LIMIT $3::integer"};

template <typename Value, typename Reader>
absl::Status ReadEach(absl::StatusOr<pg::Rows> rows, Reader read, std::vector<Value>& values) {
  RETURN_IF_ERROR(rows.status());
  values.reserve(rows->size());
  for (int i = 0; i < rows->size(); ++i) {
    pg::Row row = rows->at(i);
    values.push_back(read(row));
  }
  return rows->status();
}

Incident ReadPastIncident(pg::Row& row) {
  Incident incident;
  incident.cause = row.As<Cause>();
  incident.opened_at = row.Time();
  incident.detected_at = row.Time();
  incident.closed_at = row.MaybeTime();
  const std::optional<int64_t> resolution = row.MaybeInt();
  if (resolution.has_value()) incident.resolution = static_cast<Resolution>(*resolution);
  return incident;
}

Interval ReadState(pg::Row& row) {
  const absl::Time start = row.Time();
  return {.start = start, .end = row.Time()};
}

Signal ReadSignal(pg::Row& row) {
  Signal signal;
  signal.at = row.Time();
  signal.kind = row.As<HeartbeatKind>();
  signal.value = row.MaybeDouble();
  const std::optional<int64_t> micros = row.MaybeInt();
  if (micros.has_value()) signal.run_duration = absl::Microseconds(*micros);
  return signal;
}

}  // namespace

// On the sessions of lists, which keep their plans: planning what reads the history, with its
// partitions, takes longer than most of it.
absl::StatusOr<MonitorHistory> PgStore::ReadHistory(const HistoryQuery& query) {
  const auto read = [&](const pg::Statement& statement, absl::Time since, int limit) {
    return ReadOn(list_, statement, pg::Params().Int(query.monitor).Time(since).Int(limit));
  };
  MonitorHistory history;
  RETURN_IF_ERROR(ReadEach(read(kIncidents, query.since, query.incidents), &ReadPastIncident,
                           history.incidents));
  RETURN_IF_ERROR(ReadEach(read(kStates, query.since, query.states), &ReadState, history.states));
  RETURN_IF_ERROR(
      ReadEach(read(kSignals, query.signals_since, query.signals), &ReadSignal, history.signals));
  return history;
}

}  // namespace tocsin::core
