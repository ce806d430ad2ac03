// Encodes what was held back, a statement for each kind of row.
#include "services/core/store/pg/write_buffer.h"

#include <algorithm>
#include <utility>

#include "common/status_macros.h"
#include "services/core/store/pg/add_deliveries.h"
#include "services/core/store/pg/event_facts.h"
#include "services/core/store/pg/hot_statements.h"
#include "services/core/store/pg/monitor_rows.h"
#include "services/core/store/pg/row_arrays.h"

namespace tocsin::core::pg {

const Statement kDrawIncidentKeys = {
    "draw_incident_keys",
    "SELECT nextval('incident_incident_id_seq') FROM generate_series(1, $1::integer)"};

const Statement kDrawOutboxKeys = {
    "draw_outbox_keys", "SELECT nextval('outbox_id') FROM generate_series(1, $1::integer)"};

// Leaves alone the rows of states that stay as they are: sweeping mostly moves sweep_at. Lists are
// told of those that changed to another one. Tells whether a sweep_at moved earlier: a subquery
// still sees the row as it was before the statement, and is spared where there is nothing to
// compare.
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
    "FROM change u WHERE u.moves_sweep AND w.monitor_id = u.monitor_id "
    "RETURNING CASE WHEN u.sweep_at IS NULL THEN false ELSE u.sweep_at < coalesce((SELECT "
    "before.sweep_at FROM monitor_sweep before WHERE before.monitor_id = u.monitor_id), "
    "'infinity') END AS earlier) "
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
  RETURN_IF_ERROR(pg::AddDeliveries(session, deliveries_));
  deliveries_.clear();
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
