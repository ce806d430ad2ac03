// Encodes what was held back, a statement for each kind of row.
#include "services/core/store/pg/write_buffer.h"

#include <algorithm>
#include <utility>

#include "common/status_macros.h"
#include "services/core/domain/backlog.h"
#include "services/core/store/pg/alert_rows.h"
#include "services/core/store/pg/backlog_cut.h"
#include "services/core/store/pg/event_facts.h"
#include "services/core/store/pg/hot_statements.h"
#include "services/core/store/pg/monitor_rows.h"
#include "services/core/store/pg/row_arrays.h"
#include "services/core/store/pg/snapshot.h"

namespace tocsin::core::pg {

const Statement kDrawIncidentKeys = {
    "draw_incident_keys",
    "SELECT nextval('incident_incident_id_seq') FROM generate_series(1, $1::integer)"};

const Statement kDrawOutboxKeys = {
    "draw_outbox_keys", "SELECT nextval('outbox_id') FROM generate_series(1, $1::integer)"};

// One that must wait for another of its monitor and channel is not due before that one. See
// delivery_order.cc for the sum. Tells the monitors and channels for which more than $1 wait now,
// or a reminder (type 3) that something newer follows.
const Statement kAddDeliveries = {
    "add_deliveries",
    "WITH fresh AS (SELECT u.*, b.waiting, b.reminders, b.next_attempt_at AS not_before "
    "FROM unnest($2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[], "
    "$7::smallint[], $8::smallint[], $9::boolean[], $10::integer[], $11::integer[], "
    "$12::integer[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[], "
    "$17::timestamptz[], $18::timestamptz[], $19::timestamptz[], $20::text[], $21::boolean[]) "
    "WITH ORDINALITY "
    "AS u (id, project_id, channel_id, monitor_id, sequence, type, state, redelivery, attempts, "
    "skipped, last_http_status, events, extra, occurred_at, created_at, next_attempt_at, "
    "expires_at, finished_at, last_outcome, gather, number) CROSS JOIN LATERAL ("
    "SELECT count(*) FILTER (WHERE b.lease_id IS NULL) AS waiting, "
    "count(*) FILTER (WHERE b.lease_id IS NULL AND b.type = 3) AS reminders, "
    "max(b.next_attempt_at) AS next_attempt_at FROM delivery b "
    "WHERE b.state = 1 AND b.monitor_id = u.monitor_id AND b.channel_id + 0 = u.channel_id "
    "AND u.monitor_id <> 0 AND NOT b.redelivery) b), "
    "added AS (INSERT INTO delivery (id, project_id, channel_id, monitor_id, sequence, type, "
    "state, redelivery, attempts, skipped, last_http_status, events, extra, occurred_at, "
    "created_at, next_attempt_at, expires_at, finished_at, last_outcome, gather) "
    "SELECT u.id, u.project_id, u.channel_id, u.monitor_id, u.sequence, u.type, u.state, "
    "u.redelivery, u.attempts, u.skipped, u.last_http_status, u.events::bigint[], "
    "u.extra::jsonb, u.occurred_at, u.created_at, greatest(u.next_attempt_at, u.not_before), "
    "u.expires_at, u.finished_at, u.last_outcome, u.gather FROM fresh u ORDER BY u.number) "
    "SELECT u.monitor_id, u.channel_id FROM fresh u WHERE u.monitor_id <> 0 "
    "GROUP BY u.monitor_id, u.channel_id HAVING max(u.waiting) + count(*) > $1::integer "
    "OR max(u.reminders) > 0 OR (count(*) > 1 AND bool_or(u.type = 3))"};

// Leaves alone the rows of states that stay as they are: sweeping mostly moves sweep_at. Lists are
// told of those that changed to another one. Tells whether a sweep_at moved earlier.
const Statement kSaveStates = {
    "save_states",
    "WITH change AS (SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::timestamptz[], "
    "$4::smallint[], $5::smallint[], $6::timestamptz[], $7::timestamptz[], $8::integer[], "
    "$9::integer[], $10::integer[], $11::integer[], $12::bigint[], $13::bigint[], "
    "$14::bigint[], $15::boolean[], $16::timestamptz[], $17::timestamptz[], $18::text[], "
    "$19::timestamptz[], $20::timestamptz[], $21::text[], $22::timestamptz[], $23::bigint[]) "
    "AS u (monitor_id, state, last_at, "
    "last_kind, last_source, armed_at, floor_at, failures, successes, misses, open_runs, "
    "sequence, incident_id, last_push, moves_sweep, sweep_at, changed_at, runs, credit_at, "
    "excused_at, transitions, flapping_since, untold_end)), "
    "saved AS (UPDATE monitor_state s SET state = u.state, last_at = u.last_at, "
    "last_kind = u.last_kind, last_source = u.last_source, armed_at = u.armed_at, "
    "floor_at = u.floor_at, failures = u.failures, successes = u.successes, misses = u.misses, "
    "open_runs = u.open_runs, runs = u.runs, credit_at = u.credit_at, "
    "excused_at = u.excused_at, "
    "transitions = string_to_array(u.transitions, ',')::bigint[], "
    "flapping_since = u.flapping_since, untold_end = u.untold_end, "
    "sequence = u.sequence, incident_id = u.incident_id, "
    "last_push = coalesce(u.last_push, s.last_push), reserve = NULL "
    "FROM change u WHERE s.monitor_id = u.monitor_id AND (u.last_push IS NOT NULL "
    "OR (s.state, s.last_at, s.last_kind, s.last_source, s.armed_at, s.floor_at, s.failures, "
    "s.successes, s.misses, s.runs, s.credit_at, s.excused_at, s.flapping_since, s.untold_end, "
    "s.sequence, s.incident_id) "
    "IS DISTINCT FROM (u.state, u.last_at, u.last_kind, u.last_source, u.armed_at, u.floor_at, "
    "u.failures, u.successes, u.misses, u.runs, u.credit_at, u.excused_at, u.flapping_since, "
    "u.untold_end, u.sequence, u.incident_id)) "
    "RETURNING s.monitor_id, u.state, u.changed_at), "
    "listed AS (UPDATE monitor_listing l SET state = saved.state, changed_at = saved.changed_at "
    "FROM saved WHERE l.monitor_id = saved.monitor_id "
    "AND (l.state, l.changed_at) IS DISTINCT FROM (saved.state, saved.changed_at)), "
    "moved AS (UPDATE monitor_sweep w SET sweep_at = u.sweep_at "
    "FROM change u LEFT JOIN monitor_sweep before ON before.monitor_id = u.monitor_id "
    "AND u.sweep_at IS NOT NULL "
    "WHERE u.moves_sweep AND w.monitor_id = u.monitor_id "
    "RETURNING u.sweep_at < coalesce(before.sweep_at, 'infinity') AS earlier) "
    "SELECT coalesce(bool_or(earlier), false) FROM moved"};

namespace {

constexpr int kMostAhead = 512;
constexpr int kMoreAhead = 8;  // times as many as before

constexpr Statement kAddIncidents = {
    "add_incidents",
    "INSERT INTO incident (incident_id, project_id, monitor_id, cause, opened_at, detected_at, "
    "closed_at, resolution, message, held_until) "
    "SELECT u.incident_id, u.project_id, u.monitor_id, u.cause, u.opened_at, u.detected_at, "
    "u.closed_at, u.resolution, u.message, u.held_until "
    "FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::smallint[], $5::timestamptz[], "
    "$6::timestamptz[], $7::timestamptz[], $8::smallint[], $9::text[], $10::timestamptz[]) "
    "AS u (incident_id, project_id, monitor_id, cause, opened_at, detected_at, closed_at, "
    "resolution, message, held_until)"};

constexpr Statement kSaveIncidents = {
    "save_incidents",
    "UPDATE incident i SET closed_at = u.closed_at, resolution = u.resolution, "
    "message = u.message, reminded_at = u.reminded_at, held_until = u.held_until "
    "FROM unnest($1::bigint[], $2::timestamptz[], $3::smallint[], $4::text[], "
    "$5::timestamptz[], $6::timestamptz[]) "
    "AS u (incident_id, closed_at, resolution, message, reminded_at, held_until) "
    "WHERE i.incident_id = u.incident_id"};

constexpr Statement kAddEvents = {
    "add_events",
    "INSERT INTO alert_event (event_id, project_id, monitor_id, incident_id, sequence, type, "
    "state, occurred_at, detected_at, expected_at, facts) "
    "SELECT u.event_id, u.project_id, u.monitor_id, u.incident_id, u.sequence, u.type, u.state, "
    "u.occurred_at, u.detected_at, u.expected_at, u.facts "
    "FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], "
    "$6::smallint[], $7::smallint[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], "
    "$11::bytea[]) AS u (event_id, project_id, monitor_id, incident_id, sequence, type, state, "
    "occurred_at, detected_at, expected_at, facts)"};

std::optional<IncidentKey> KeyOf(const std::optional<Incident>& incident) {
  if (!incident) return std::nullopt;
  return incident->key;
}

}  // namespace

absl::StatusOr<int64_t> KeySource::Next(Session& session) {
  if (keys_.empty()) {
    ASSIGN_OR_RETURN(Rows rows, session.Run(draw_, Params().Int(ahead_)));
    for (int i = rows.size() - 1; i >= 0; --i) keys_.push_back(rows.at(i).Int());
    RETURN_IF_ERROR(rows.status());
    std::sort(keys_.rbegin(), keys_.rend());
    ahead_ = std::min(kMoreAhead * ahead_, kMostAhead);
  }
  const int64_t key = keys_.back();
  keys_.pop_back();
  return key;
}

void WriteBuffer::AddIncident(IncidentKey key, const Incident& incident) {
  incidents_told_.insert(key);
  added_incidents_.push_back(incident);
  added_incidents_.back().key = key;
}

void WriteBuffer::AddEvent(EventKey key, const AlertEvent& event) {
  incidents_told_.insert(event.incident.key);
  events_.push_back({.key = key,
                     .project = event.project,
                     .monitor = event.monitor,
                     .incident = event.incident.key,
                     .sequence = event.sequence,
                     .type = event.type,
                     .state = event.state,
                     .occurred_at = event.occurred_at,
                     .detected_at = event.detected_at,
                     .expected_at = event.expected_at,
                     .facts = FactsToBytes(event)});
}

void WriteBuffer::AddDeliveries(absl::Span<const Delivery> deliveries) {
  deliveries_.insert(deliveries_.end(), deliveries.begin(), deliveries.end());
}

void WriteBuffer::SaveState(const StateChange& change) {
  const auto [held, is_new] = states_.try_emplace(change.monitor, change);
  if (is_new) return;
  StateChange& merged = held->second;
  merged.state = change.state;
  if (change.last_push_id != 0) merged.last_push_id = change.last_push_id;
  if (change.sweep_at) merged.sweep_at = change.sweep_at;
}

absl::StatusOr<bool> WriteBuffer::Flush(Session& session) {
  // Incidents before what refers to them; states last, so that hot rows are locked no longer than
  // they must be.
  RETURN_IF_ERROR(FlushIncidents(session));
  RETURN_IF_ERROR(FlushEvents(session));
  RETURN_IF_ERROR(FlushDeliveries(session));
  incidents_told_.clear();
  return FlushStates(session);
}

absl::Status WriteBuffer::FlushIncidents(Session& session) {
  using enum ElementType;
  if (!added_incidents_.empty()) {
    RowArrays rows({kInt8, kInt4, kInt8, kInt2, kTimestamptz, kTimestamptz, kTimestamptz, kInt2,
                    kText, kTimestamptz},
                   added_incidents_.size());
    for (const Incident& incident : added_incidents_) {
      rows.Row()
          .Int8(incident.key)
          .Int4(incident.project)
          .Int8(incident.monitor)
          .Enum2(incident.cause)
          .Time(incident.opened_at)
          .Time(incident.detected_at)
          .TimeOrNull(incident.closed_at)
          .Enum2OrNull(incident.resolution)
          .Text(incident.message)
          .TimeOrNull(incident.held_until);
    }
    Params params;
    std::move(rows).MoveTo(params);
    RETURN_IF_ERROR(session.Run(kAddIncidents, params));
    added_incidents_.clear();
  }
  if (saved_incidents_.empty()) return absl::OkStatus();
  RowArrays rows({kInt8, kTimestamptz, kInt2, kText, kTimestamptz, kTimestamptz},
                 saved_incidents_.size());
  for (const auto& [key, incident] : saved_incidents_) {
    rows.Row()
        .Int8(key)
        .TimeOrNull(incident.closed_at)
        .Enum2OrNull(incident.resolution)
        .Text(incident.message)
        .TimeOrNull(incident.reminded_at)
        .TimeOrNull(incident.held_until);
  }
  Params params;
  std::move(rows).MoveTo(params);
  saved_incidents_.clear();
  return session.Run(kSaveIncidents, params).status();
}

absl::Status WriteBuffer::FlushEvents(Session& session) {
  using enum ElementType;
  if (events_.empty()) return absl::OkStatus();
  RowArrays rows({kInt8, kInt4, kInt8, kInt8, kInt8, kInt2, kInt2, kTimestamptz, kTimestamptz,
                  kTimestamptz, kBytea},
                 events_.size());
  for (const EventRow& event : events_) {
    rows.Row()
        .Int8(event.key)
        .Int4(event.project)
        .Int8(event.monitor)
        .Int8(event.incident)
        .Int8(event.sequence)
        .Enum2(event.type)
        .Enum2(event.state)
        .Time(event.occurred_at)
        .Time(event.detected_at)
        .TimeOrNull(event.expected_at)
        .Bytes(event.facts);
  }
  Params params;
  std::move(rows).MoveTo(params);
  events_.clear();
  return session.Run(kAddEvents, params).status();
}

absl::Status WriteBuffer::FlushDeliveries(Session& session) {
  using enum ElementType;
  if (deliveries_.empty()) return absl::OkStatus();
  RowArrays rows(
      {kText,        kInt4,        kInt8,        kInt8,        kInt8, kInt2, kInt2,
       kBool,        kInt4,        kInt4,        kInt4,        kText, kText, kTimestamptz,
       kTimestamptz, kTimestamptz, kTimestamptz, kTimestamptz, kText, kBool},
      deliveries_.size());
  for (const Delivery& delivery : deliveries_) {
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
        .Time(delivery.next_attempt_at)
        .Time(delivery.expires_at)
        .TimeOrNull(delivery.finished_at)
        .Text(delivery.last_outcome)
        .Bool(delivery.may_gather);
  }
  Params params;
  params.Int(kMostWaiting);
  std::move(rows).MoveTo(params);
  deliveries_.clear();
  ASSIGN_OR_RETURN(Rows too_long, session.Run(kAddDeliveries, params));
  if (too_long.empty()) return absl::OkStatus();
  std::vector<std::pair<MonitorKey, ChannelKey>> backlogs;
  for (int i = 0; i < too_long.size(); ++i) {
    Row row = too_long.at(i);
    const MonitorKey monitor = row.Int();
    backlogs.emplace_back(monitor, row.Int());
  }
  RETURN_IF_ERROR(too_long.status());
  return CutBacklogs(session, backlogs);
}

absl::StatusOr<bool> WriteBuffer::FlushStates(Session& session) {
  using enum ElementType;
  if (states_.empty()) return false;
  RowArrays arrays(
      {kInt8,        kInt2,        kTimestamptz, kInt2,        kInt2,        kTimestamptz,
       kTimestamptz, kInt4,        kInt4,        kInt4,        kInt4,        kInt8,
       kInt8,        kInt8,        kBool,        kTimestamptz, kTimestamptz, kText,
       kTimestamptz, kTimestamptz, kText,        kTimestamptz, kInt8},
      states_.size());
  for (const auto& [monitor, change] : states_) {
    const MonitorState& state = change.state;
    arrays.Row()
        .Int8(monitor)
        .Enum2(state.state)
        .TimeOrNull(KnownTime(state.last_at))
        .Enum2(state.last_kind)
        .Enum2(state.last_source)
        .TimeOrNull(KnownTime(state.armed_at))
        .TimeOrNull(KnownTime(state.floor_at))
        .Int4(state.failures)
        .Int4(state.successes)
        .Int4(state.misses)
        .Int4(static_cast<int32_t>(state.runs.size()))
        .Int8(state.sequence)
        .Int8OrNull(KeyOf(state.incident))
        .Int8OrNull(change.last_push_id == 0
                        ? std::nullopt
                        : std::optional<int64_t>(FromPushId(change.last_push_id)))
        .Bool(change.sweep_at.has_value())
        .TimeOrNull(KnownTime(change.sweep_at.value_or(absl::InfiniteFuture())))
        .Time(state.changed_at)
        .TextOrNull(RunsToText(state.runs))
        .TimeOrNull(KnownTime(state.credit_at))
        .TimeOrNull(KnownTime(state.excused_at))
        .TextOrNull(TimesToText(state.transitions))
        .TimeOrNull(state.flapping_since)
        .Int8OrNull(state.untold_end);
  }
  Params params;
  std::move(arrays).MoveTo(params);
  states_.clear();
  ASSIGN_OR_RETURN(Rows rows, session.Run(kSaveStates, params));
  return rows.at(0).Bool();
}

}  // namespace tocsin::core::pg
