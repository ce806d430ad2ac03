// Drops incidents, alert events and finished deliveries after their time, in small steps.
#include "services/core/store/pg/alert_retention.h"

#include "common/status_macros.h"
#include "services/core/store/pg/params.h"
#include "services/core/store/pg/statement.h"

namespace tocsin::core::pg {
namespace {

// Keys ascend in time. Tells how many were dropped and looked at, the last of these, and whether
// it, too, was of that age: then there may be more behind it.
#define TOCSIN_DROP_OLD(table, key, made_at, condition)                                        \
  "WITH oldest AS (SELECT t." key ", t." made_at " FROM " table " t WHERE t." key              \
  " > $3::bigint ORDER BY t." key                                                              \
  " LIMIT $2::integer), "                                                                      \
  "gone AS (DELETE FROM " table " t USING oldest o WHERE t." key " = o." key " AND " condition \
  " RETURNING 1) "                                                                             \
  "SELECT (SELECT count(*) FROM gone), count(*), coalesce(max(o." key                          \
  "), 0), "                                                                                    \
  "coalesce((SELECT l." made_at " < $1::timestamptz FROM oldest l ORDER BY l." key             \
  " DESC LIMIT 1), false) FROM oldest o"

constexpr Statement kDropDeliveries = {
    "drop_deliveries",
    TOCSIN_DROP_OLD("delivery", "delivery_id", "created_at",
                    "t.state <> 1 AND t.finished_at < $1::timestamptz AND NOT (t.type = 1 AND "
                    "(EXISTS (SELECT FROM incident i WHERE i.monitor_id = t.monitor_id "
                    "AND i.closed_at IS NULL AND i.opened_at <= t.occurred_at) "
                    "OR EXISTS (SELECT FROM monitor_state s WHERE s.monitor_id = t.monitor_id "
                    "AND s.untold_end IS NOT NULL)))")};

constexpr Statement kDropEvents = {
    "drop_events",
    TOCSIN_DROP_OLD("alert_event", "event_id", "detected_at",
                    "t.detected_at < $1::timestamptz AND t.feed_position IS NOT NULL "
                    "AND NOT EXISTS (SELECT FROM delivery d WHERE d.state = 1 "
                    "AND d.monitor_id = t.monitor_id AND t.event_id = ANY (d.events)) "
                    "AND NOT (t.type = 1 AND (EXISTS (SELECT FROM incident i "
                    "WHERE i.incident_id = t.incident_id AND i.closed_at IS NULL) "
                    "OR EXISTS (SELECT FROM monitor_state s WHERE s.monitor_id = t.monitor_id "
                    "AND s.untold_end = t.incident_id)))")};

constexpr Statement kDropIncidents = {
    "drop_incidents",
    TOCSIN_DROP_OLD("incident", "incident_id", "opened_at",
                    "t.closed_at < $1::timestamptz "
                    "AND NOT EXISTS (SELECT FROM monitor_state s WHERE s.monitor_id = t.monitor_id "
                    "AND s.untold_end = t.incident_id)")};

}  // namespace

absl::StatusOr<bool> AlertRetention::Drop(Session& session, absl::Time before, int most) {
  constexpr std::array<const Statement*, kKinds> kStatements = {&kDropDeliveries, &kDropEvents,
                                                                &kDropIncidents};
  absl::Status first_failure;
  bool more = false;
  for (size_t kind = 0; kind < kKinds; ++kind) {
    std::atomic<int64_t>& looked_to = looked_to_[kind];
    absl::StatusOr<Rows> rows =
        session.Run(*kStatements[kind], Params().Time(before).Int(most).Int(looked_to.load()),
                    Session::Scope::kAlone);
    if (!rows.ok()) {
      first_failure.Update(rows.status());
      continue;
    }
    Row row = rows->at(0);
    const int64_t dropped = row.Int();
    const bool is_full = row.Int() >= most;
    const int64_t last = row.Int();
    const bool goes_on = is_full && row.Bool();
    first_failure.Update(rows->status());
    looked_to = goes_on ? last : 0;
    more |= goes_on && dropped > 0;
  }
  if (!first_failure.ok()) return first_failure;
  return more;
}

}  // namespace tocsin::core::pg
