// What was rolled up of a monitor.
#include <utility>

#include "common/status_macros.h"
#include "services/core/store/pg/pg_store.h"
#include "services/core/store/pg/rollups.h"
#include "services/core/store/rollup_codec.h"

namespace tocsin::core {
namespace {

// By its key, time by time: an index that begins with the monitor would be written all over the
// place each hour.
constexpr pg::Statement kHours = {
    "read_rollup_hours",
    "SELECT r.start_at, r.data FROM generate_series($2::timestamptz, "
    "$3::timestamptz - interval '1 hour', interval '1 hour') at "
    "JOIN rollup_hour r ON r.start_at = at AND r.monitor_id = $1::bigint ORDER BY r.start_at"};

constexpr pg::Statement kDays = {
    "read_rollup_days",
    "SELECT r.start_at, r.data FROM generate_series($2::timestamptz, "
    "$3::timestamptz - interval '24 hours', interval '24 hours') at "
    "JOIN rollup_day r ON r.start_at = at AND r.monitor_id = $1::bigint ORDER BY r.start_at"};

}  // namespace

absl::StatusOr<RolledPast> PgStore::ReadRollups(const RollupQuery& query) {
  ASSIGN_OR_RETURN(pg::SessionPool::Lease session, list_.Take());
  RETURN_IF_ERROR(session->Ready());
  ASSIGN_OR_RETURN(const RolledTo rolled, pg::ReadRolledTo(*session, query.monitor));
  const RollupSpan span = RollupsBefore(query.first, rolled, query.since);
  RolledPast past;
  past.end = span.end;
  const auto add = [&](const pg::Statement& statement, absl::Time from,
                       absl::Time to) -> absl::Status {
    if (from >= to) return absl::OkStatus();
    ASSIGN_OR_RETURN(pg::Rows rows,
                     session->Run(statement, pg::Params().Int(query.monitor).Time(from).Time(to)));
    for (int i = 0; i < rows.size(); ++i) {
      pg::Row row = rows.at(i);
      const absl::Time start = row.Time();
      ASSIGN_OR_RETURN(Rollup rollup, DecodeRollup(row.Bytes(), start));
      past.rollups.push_back(std::move(rollup));
    }
    return rows.status();
  };
  RETURN_IF_ERROR(add(kDays, span.days, span.hours));
  RETURN_IF_ERROR(add(kHours, span.hours, span.end));
  return past;
}

}  // namespace tocsin::core
