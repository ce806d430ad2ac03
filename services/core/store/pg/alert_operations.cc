// The transaction's operations on incidents, alert events and their deliveries.
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "services/core/store/pg/alert_rows.h"
#include "services/core/store/pg/delivery_order.h"
#include "services/core/store/pg/hot_statements.h"
#include "services/core/store/pg/pg_transaction.h"
#include "services/core/store/pg/snapshot.h"

namespace tocsin::core::pg {
// An incident's deliveries are numbered after its FIRING event, which bounds the search. Comparing
// rows leaves the planner only the index of the monitor.
const Statement kFindFirings = {
    "find_firings",
    "SELECT d.delivery_id, firing.event_id, d.channel_id, d.state, "
    "d.lease_id IS NOT NULL OR d.redelivery, d.attempts > 0, d.skipped "
    "FROM incident i CROSS JOIN LATERAL ("
    "SELECT e.event_id FROM alert_event e WHERE e.monitor_id = i.monitor_id "
    "AND e.incident_id = i.incident_id AND e.type = 1 ORDER BY e.sequence DESC LIMIT 1) firing "
    "JOIN delivery d ON d.monitor_id = i.monitor_id "
    "AND (d.monitor_id, d.delivery_id) > (i.monitor_id, firing.event_id) "
    "AND firing.event_id = ANY (d.events) "
    "WHERE i.incident_id = $1::bigint ORDER BY d.delivery_id"};

namespace {

constexpr Statement kFindIncident = {"find_incident",
                                     "SELECT " TOCSIN_INCIDENT_COLUMNS
                                     " FROM incident i WHERE i.incident_id = $1::bigint"};

// `state + 0`: as in kLeaseDeliveries.
constexpr Statement kWithdraw = {
    "withdraw",
    "WITH held AS (SELECT d.delivery_id FROM delivery d WHERE d.delivery_id = ANY ($2::bigint[]) "
    "AND d.state + 0 = 1 AND d.lease_id IS NULL AND NOT d.redelivery ORDER BY d.delivery_id "
    "FOR NO KEY UPDATE) "
    "UPDATE delivery d SET state = 4, finished_at = $1::timestamptz FROM held "
    "WHERE d.delivery_id = held.delivery_id RETURNING d.delivery_id"};

}  // namespace

absl::StatusOr<IncidentKey> PgTransaction::AddIncident(const Incident& incident) {
  ASSIGN_OR_RETURN(const IncidentKey key, incident_keys_.Next(session_));
  buffer_.AddIncident(key, incident);
  return key;
}

absl::Status PgTransaction::SaveIncident(const Incident& incident) {
  buffer_.SaveIncident(incident);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Incident>> PgTransaction::FindIncident(IncidentKey incident) {
  RETURN_IF_ERROR(Flush());
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kFindIncident, Params().Int(incident)));
  if (rows.empty()) return std::nullopt;
  Row row = rows.at(0);
  Incident found = ReadIncident(row);
  RETURN_IF_ERROR(rows.status());
  return found;
}

absl::StatusOr<EventKey> PgTransaction::AddEvent(const AlertEvent& event) {
  ASSIGN_OR_RETURN(const EventKey key, event_keys_.Next(session_));
  buffer_.AddEvent(key, event);
  announcement_.events = true;
  return key;
}

absl::Status PgTransaction::AddDeliveries(absl::Span<const Delivery> deliveries) {
  if (deliveries.empty()) return absl::OkStatus();
  buffer_.AddDeliveries(deliveries);
  announcement_.deliveries = true;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<FiringDelivery>> PgTransaction::FindFirings(IncidentKey incident) {
  if (buffer_.TellsOf(incident)) RETURN_IF_ERROR(Flush());
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kFindFirings, Params().Int(incident)));
  std::vector<FiringDelivery> firings;
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    FiringDelivery firing;
    firing.delivery = row.Int();
    firing.event = row.Int();
    firing.channel = row.Int();
    firing.state = row.As<DeliveryState>();
    firing.held = row.Bool();
    firing.tried = row.Bool();
    firing.skipped = row.Int32();
    firings.push_back(firing);
  }
  RETURN_IF_ERROR(rows.status());
  return firings;
}

absl::StatusOr<std::vector<DeliveryKey>> PgTransaction::Withdraw(
    absl::Span<const DeliveryKey> deliveries, absl::Time now) {
  std::vector<DeliveryKey> withdrawn;
  if (deliveries.empty()) return withdrawn;
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kWithdraw, Params().Time(now).Keys8(deliveries)));
  for (int i = 0; i < rows.size(); ++i) withdrawn.push_back(rows.at(i).Int());
  RETURN_IF_ERROR(rows.status());
  RETURN_IF_ERROR(ReleaseFollowers(session_, withdrawn, now).status());
  return withdrawn;
}

}  // namespace tocsin::core::pg
