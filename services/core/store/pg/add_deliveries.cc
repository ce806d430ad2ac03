// Asks what waits already, and inserts.
#include "services/core/store/pg/add_deliveries.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "services/core/domain/backlog.h"
#include "services/core/domain/keys.h"
#include "services/core/store/pg/alert_rows.h"
#include "services/core/store/pg/backlog_cut.h"
#include "services/core/store/pg/hot_statements.h"
#include "services/core/store/pg/row_arrays.h"
#include "services/core/store/pg/snapshot.h"

namespace tocsin::core::pg {

// For each monitor and channel that something is pending of: how many wait without a lease, how
// many of these are reminders (type 3), and until when. See delivery_order.cc for OFFSET. A
// statement of its own, since mostly nothing is pending: an aggregate for each new delivery, in the
// statement that inserts, cost more than the search.
const Statement kPendingOf = {
    "pending_of",
    "SELECT b.monitor_id, b.channel_id, count(*) FILTER (WHERE b.lease_id IS NULL), "
    "count(*) FILTER (WHERE b.lease_id IS NULL AND b.type = 3), max(b.next_attempt_at) "
    "FROM unnest($1::bigint[]) AS u (monitor_id) CROSS JOIN LATERAL ("
    "SELECT d.monitor_id, d.channel_id, d.lease_id, d.type, d.next_attempt_at FROM delivery d "
    "WHERE d.state = 1 AND d.monitor_id = u.monitor_id AND NOT d.redelivery OFFSET 0) b "
    "GROUP BY b.monitor_id, b.channel_id"};

namespace {

constexpr Statement kAddDeliveries = {
    "add_deliveries",
    "INSERT INTO delivery (id, project_id, channel_id, monitor_id, sequence, type, state, "
    "redelivery, attempts, skipped, last_http_status, events, extra, occurred_at, created_at, "
    "next_attempt_at, expires_at, finished_at, last_outcome, gather) "
    "SELECT u.id, u.project_id, u.channel_id, u.monitor_id, u.sequence, u.type, u.state, "
    "u.redelivery, u.attempts, u.skipped, u.last_http_status, u.events::bigint[], "
    "u.extra::jsonb, u.occurred_at, u.created_at, u.next_attempt_at, u.expires_at, "
    "u.finished_at, u.last_outcome, u.gather "
    "FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], "
    "$6::smallint[], $7::smallint[], $8::boolean[], $9::integer[], $10::integer[], "
    "$11::integer[], $12::text[], $13::text[], $14::timestamptz[], $15::timestamptz[], "
    "$16::timestamptz[], $17::timestamptz[], $18::timestamptz[], $19::text[], $20::boolean[]) "
    "WITH ORDINALITY AS u (id, project_id, channel_id, monitor_id, sequence, type, state, "
    "redelivery, attempts, skipped, last_http_status, events, extra, occurred_at, created_at, "
    "next_attempt_at, expires_at, finished_at, last_outcome, gather, number) ORDER BY u.number"};

// What one channel is owed of one monitor.
struct Pending {
  int64_t waiting = 0;
  int64_t reminders = 0;
  absl::Time until = absl::InfinitePast();
  int64_t added = 0;
  bool reminder_added = false;

  bool NeedsCut() const {
    return waiting + added > kMostWaiting || reminders > 0 || (added > 1 && reminder_added);
  }
};
using PendingOf = std::map<std::pair<MonitorKey, ChannelKey>, Pending>;

absl::StatusOr<PendingOf> ReadPending(Session& session, absl::Span<const Delivery> deliveries) {
  std::set<MonitorKey> monitors;
  for (const Delivery& delivery : deliveries) {
    if (delivery.monitor != 0) monitors.insert(delivery.monitor);
  }
  PendingOf pending;
  if (monitors.empty()) return pending;
  ASSIGN_OR_RETURN(Rows rows, session.Run(kPendingOf, Params().Keys8(monitors)));
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    const MonitorKey monitor = row.Int();
    Pending& found = pending[{monitor, row.Int()}];
    found.waiting = row.Int();
    found.reminders = row.Int();
    found.until = row.Time();
  }
  RETURN_IF_ERROR(rows.status());
  return pending;
}

absl::Status Insert(Session& session, absl::Span<const Delivery> deliveries, PendingOf& pending) {
  using enum ElementType;
  RowArrays rows(
      {kText,        kInt4,        kInt8,        kInt8,        kInt8, kInt2, kInt2,
       kBool,        kInt4,        kInt4,        kInt4,        kText, kText, kTimestamptz,
       kTimestamptz, kTimestamptz, kTimestamptz, kTimestamptz, kText, kBool},
      deliveries.size());
  for (const Delivery& delivery : deliveries) {
    absl::Time next_attempt_at = delivery.next_attempt_at;
    if (delivery.monitor != 0) {
      Pending& of_these = pending[{delivery.monitor, delivery.channel}];
      next_attempt_at = std::max(next_attempt_at, of_these.until);
      ++of_these.added;
      of_these.reminder_added |= delivery.type == DeliveryType::kIncidentReminder;
    }
    rows.Row()
        .Text(delivery.id)
        .Int4(delivery.project)
        .Int8(delivery.channel)
        .Int8(delivery.monitor)
        .Int8(delivery.sequence)
        .Enum2(delivery.type)
        .Enum2(delivery.state)
        .Bool(delivery.redelivery)
        .Int4(delivery.attempts)
        .Int4(delivery.skipped)
        .Int4(delivery.last_http_status)
        .Text(KeysToText(delivery.events))
        .TextOrNull(ExtraToJson(delivery))
        .Time(delivery.occurred_at)
        .Time(delivery.created_at)
        .Time(next_attempt_at)
        .Time(delivery.expires_at)
        .TimeOrNull(delivery.finished_at)
        .Text(delivery.last_outcome)
        .Bool(delivery.may_gather);
  }
  Params params;
  std::move(rows).MoveTo(params);
  return session.Run(kAddDeliveries, params).status();
}

}  // namespace

absl::Status AddDeliveries(Session& session, absl::Span<const Delivery> deliveries) {
  if (deliveries.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(PendingOf pending, ReadPending(session, deliveries));
  RETURN_IF_ERROR(Insert(session, deliveries, pending));
  std::vector<std::pair<MonitorKey, ChannelKey>> too_long;
  for (const auto& [monitor_and_channel, of_these] : pending) {
    if (of_these.added > 0 && of_these.NeedsCut()) too_long.push_back(monitor_and_channel);
  }
  return too_long.empty() ? absl::OkStatus() : CutBacklogs(session, too_long);
}

}  // namespace tocsin::core::pg
