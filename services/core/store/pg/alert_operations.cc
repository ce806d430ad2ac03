// The transaction's operations on incidents, alert events and their deliveries.
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "services/core/store/pg/alert_rows.h"
#include "services/core/store/pg/delivery_order.h"
#include "services/core/store/pg/pg_transaction.h"
#include "services/core/store/pg/snapshot.h"

namespace tocsin::core::pg {
namespace {

constexpr Statement kAddIncidents = {
    "add_incidents",
    "INSERT INTO incident (project_id, monitor_id, cause, opened_at, detected_at, closed_at, "
    "resolution, message) "
    "SELECT u.project_id, u.monitor_id, u.cause, u.opened_at, u.detected_at, u.closed_at, "
    "u.resolution, u.message "
    "FROM unnest($1::integer[], $2::bigint[], $3::smallint[], $4::timestamptz[], "
    "$5::timestamptz[], $6::timestamptz[], $7::smallint[], $8::text[]) WITH ORDINALITY "
    "AS u (project_id, monitor_id, cause, opened_at, detected_at, closed_at, resolution, message, "
    "number) ORDER BY u.number RETURNING incident_id"};

constexpr Statement kSaveIncident = {
    "save_incident",
    "UPDATE incident SET closed_at = $2::timestamptz, resolution = $3::smallint, "
    "message = $4::text WHERE incident_id = $1::bigint"};

constexpr Statement kAddEvents = {
    "add_events",
    "INSERT INTO alert_event (project_id, monitor_id, incident_id, sequence, type, state, "
    "occurred_at, detected_at, expected_at, snapshot) "
    "SELECT u.project_id, u.monitor_id, u.incident_id, u.sequence, u.type, u.state, "
    "u.occurred_at, u.detected_at, u.expected_at, u.snapshot::jsonb "
    "FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[], "
    "$6::smallint[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::text[]) "
    "WITH ORDINALITY AS u (project_id, monitor_id, incident_id, sequence, type, state, "
    "occurred_at, detected_at, expected_at, snapshot, number) "
    "ORDER BY u.number RETURNING event_id"};

// One that must wait for another of its monitor and channel is not due before that one.
constexpr Statement kAddDeliveries = {
    "add_deliveries",
    "INSERT INTO delivery (id, project_id, channel_id, monitor_id, sequence, type, state, "
    "redelivery, attempts, skipped, last_http_status, events, extra, occurred_at, created_at, "
    "next_attempt_at, expires_at, finished_at, last_outcome) "
    "SELECT u.id, u.project_id, u.channel_id, u.monitor_id, u.sequence, u.type, u.state, "
    "u.redelivery, u.attempts, u.skipped, u.last_http_status, u.events::bigint[], "
    "u.extra::jsonb, u.occurred_at, u.created_at, "
    "greatest(u.next_attempt_at, (SELECT max(b.next_attempt_at) FROM delivery b "
    "WHERE b.state = 1 AND b.channel_id = u.channel_id AND b.monitor_id = u.monitor_id "
    "AND u.monitor_id <> 0 AND NOT b.redelivery)), "
    "u.expires_at, u.finished_at, u.last_outcome "
    "FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], "
    "$6::smallint[], $7::smallint[], $8::boolean[], $9::integer[], $10::integer[], "
    "$11::integer[], $12::text[], $13::text[], $14::timestamptz[], $15::timestamptz[], "
    "$16::timestamptz[], $17::timestamptz[], $18::timestamptz[], $19::text[]) WITH ORDINALITY "
    "AS u (id, project_id, channel_id, monitor_id, sequence, type, state, redelivery, attempts, "
    "skipped, last_http_status, events, extra, occurred_at, created_at, next_attempt_at, "
    "expires_at, finished_at, last_outcome, number) ORDER BY u.number"};

// An incident's deliveries are numbered after its FIRING event, which bounds the search.
constexpr Statement kFindFirings = {
    "find_firings",
    "SELECT d.delivery_id, firing.event_id, d.channel_id, d.state, d.leased_at IS NOT NULL "
    "FROM incident i CROSS JOIN LATERAL ("
    "SELECT e.event_id FROM alert_event e WHERE e.monitor_id = i.monitor_id "
    "AND e.incident_id = i.incident_id AND e.type = 1 ORDER BY e.sequence DESC LIMIT 1) firing "
    "JOIN delivery d ON d.monitor_id = i.monitor_id AND d.delivery_id > firing.event_id "
    "AND firing.event_id = ANY (d.events) "
    "WHERE i.incident_id = $1::bigint ORDER BY d.delivery_id"};

constexpr Statement kWithdrawUnsent = {
    "withdraw_unsent",
    "WITH held AS (SELECT d.delivery_id FROM delivery d WHERE d.delivery_id = ANY ($2::bigint[]) "
    "AND d.state = 1 AND d.leased_at IS NULL ORDER BY d.delivery_id FOR NO KEY UPDATE) "
    "UPDATE delivery d SET state = 4, finished_at = $1::timestamptz FROM held "
    "WHERE d.delivery_id = held.delivery_id RETURNING d.delivery_id"};

}  // namespace

absl::StatusOr<IncidentKey> PgTransaction::AddIncident(const Incident& incident) {
  BinaryArray project(ElementType::kInt4), monitor(ElementType::kInt8), cause(ElementType::kInt2),
      opened_at(ElementType::kTimestamptz), detected_at(ElementType::kTimestamptz),
      closed_at(ElementType::kTimestamptz), resolution(ElementType::kInt2),
      message(ElementType::kText);
  project.AddInt4(static_cast<int32_t>(incident.project));
  monitor.AddInt8(incident.monitor);
  cause.AddInt2(static_cast<int16_t>(incident.cause));
  opened_at.AddTime(incident.opened_at);
  detected_at.AddTime(incident.detected_at);
  closed_at.AddTimeOrNull(incident.closed_at);
  if (incident.resolution) {
    resolution.AddInt2(static_cast<int16_t>(*incident.resolution));
  } else {
    resolution.AddNull();
  }
  message.AddBytes(incident.message);
  Params params;
  for (BinaryArray* array :
       {&project, &monitor, &cause, &opened_at, &detected_at, &closed_at, &resolution, &message}) {
    params.Array(std::move(*array));
  }
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kAddIncidents, params));
  return rows.at(0).Int();
}

absl::Status PgTransaction::SaveIncident(const Incident& incident) {
  Params params;
  params.Int(incident.key).TimeOrNull(incident.closed_at);
  if (incident.resolution) {
    params.Int(static_cast<int>(*incident.resolution));
  } else {
    params.Null();
  }
  params.Text(incident.message);
  return session_.Run(kSaveIncident, params).status();
}

absl::StatusOr<EventKey> PgTransaction::AddEvent(const AlertEvent& event) {
  BinaryArray project(ElementType::kInt4), monitor(ElementType::kInt8),
      incident(ElementType::kInt8), sequence(ElementType::kInt8), type(ElementType::kInt2),
      state(ElementType::kInt2), occurred_at(ElementType::kTimestamptz),
      detected_at(ElementType::kTimestamptz), expected_at(ElementType::kTimestamptz),
      snapshot(ElementType::kText);
  project.AddInt4(static_cast<int32_t>(event.project));
  monitor.AddInt8(event.monitor);
  incident.AddInt8(event.incident.key);
  sequence.AddInt8(event.sequence);
  type.AddInt2(static_cast<int16_t>(event.type));
  state.AddInt2(static_cast<int16_t>(event.state));
  occurred_at.AddTime(event.occurred_at);
  detected_at.AddTime(event.detected_at);
  expected_at.AddTimeOrNull(event.expected_at);
  snapshot.AddBytes(SnapshotToJson(event));
  Params params;
  for (BinaryArray* array : {&project, &monitor, &incident, &sequence, &type, &state, &occurred_at,
                             &detected_at, &expected_at, &snapshot}) {
    params.Array(std::move(*array));
  }
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kAddEvents, params));
  announcement_.events = true;
  return rows.at(0).Int();
}

absl::Status PgTransaction::AddDeliveries(absl::Span<const Delivery> deliveries) {
  if (deliveries.empty()) return absl::OkStatus();
  BinaryArray id(ElementType::kText), project(ElementType::kInt4), channel(ElementType::kInt8),
      monitor(ElementType::kInt8), sequence(ElementType::kInt8), type(ElementType::kInt2),
      state(ElementType::kInt2), redelivery(ElementType::kBool), attempts(ElementType::kInt4),
      skipped(ElementType::kInt4), http_status(ElementType::kInt4), events(ElementType::kText),
      extra(ElementType::kText), occurred_at(ElementType::kTimestamptz),
      created_at(ElementType::kTimestamptz), next_attempt_at(ElementType::kTimestamptz),
      expires_at(ElementType::kTimestamptz), finished_at(ElementType::kTimestamptz),
      outcome(ElementType::kText);
  for (const Delivery& delivery : deliveries) {
    id.AddBytes(delivery.id);
    project.AddInt4(static_cast<int32_t>(delivery.project));
    channel.AddInt8(delivery.channel);
    monitor.AddInt8(delivery.monitor);
    sequence.AddInt8(delivery.sequence);
    type.AddInt2(static_cast<int16_t>(delivery.type));
    state.AddInt2(static_cast<int16_t>(delivery.state));
    redelivery.AddBool(delivery.redelivery);
    attempts.AddInt4(delivery.attempts);
    skipped.AddInt4(delivery.skipped);
    http_status.AddInt4(delivery.last_http_status);
    events.AddBytes(KeysToText(delivery.events));
    extra.AddTextOrNull(ExtraToJson(delivery));
    occurred_at.AddTime(delivery.occurred_at);
    created_at.AddTime(delivery.created_at);
    next_attempt_at.AddTime(delivery.next_attempt_at);
    expires_at.AddTime(delivery.expires_at);
    finished_at.AddTimeOrNull(delivery.finished_at);
    outcome.AddBytes(delivery.last_outcome);
  }
  Params params;
  for (BinaryArray* array :
       {&id, &project, &channel, &monitor, &sequence, &type, &state, &redelivery, &attempts,
        &skipped, &http_status, &events, &extra, &occurred_at, &created_at, &next_attempt_at,
        &expires_at, &finished_at, &outcome}) {
    params.Array(std::move(*array));
  }
  announcement_.deliveries = true;
  return session_.Run(kAddDeliveries, params).status();
}

absl::StatusOr<std::vector<FiringDelivery>> PgTransaction::FindFirings(IncidentKey incident) {
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kFindFirings, Params().Int(incident)));
  std::vector<FiringDelivery> firings;
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    FiringDelivery firing;
    firing.delivery = row.Int();
    firing.event = row.Int();
    firing.channel = row.Int();
    firing.state = row.As<DeliveryState>();
    firing.ever_leased = row.Bool();
    firings.push_back(firing);
  }
  RETURN_IF_ERROR(rows.status());
  return firings;
}

absl::StatusOr<std::vector<DeliveryKey>> PgTransaction::WithdrawUnsent(
    absl::Span<const DeliveryKey> deliveries, absl::Time now) {
  std::vector<DeliveryKey> withdrawn;
  if (deliveries.empty()) return withdrawn;
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kWithdrawUnsent, Params().Time(now).Keys8(deliveries)));
  for (int i = 0; i < rows.size(); ++i) withdrawn.push_back(rows.at(i).Int());
  RETURN_IF_ERROR(rows.status());
  RETURN_IF_ERROR(ReleaseFollowers(session_, withdrawn, now).status());
  return withdrawn;
}

}  // namespace tocsin::core::pg
