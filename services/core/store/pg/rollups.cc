// Rolls heartbeats up by hour and day.
#include "services/core/store/pg/rollups.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "common/log.h"
#include "common/status_macros.h"
#include "services/core/domain/unwatched.h"
#include "services/core/store/pg/monitor_rows.h"
#include "services/core/store/pg/row_arrays.h"
#include "services/core/store/rollup_codec.h"

namespace tocsin::core::pg {
namespace {

// So long a clock that is ahead may go unnoticed, until upkeep looks again after it was set right.
constexpr absl::Duration kLongestAhead = absl::Hours(48);

constexpr int kHours = 1;
constexpr int kDays = 2;
// Of one monitor: the earliest 278 a second.
constexpr int kMostOfAnHour = 1'000'000;

constexpr Statement kProgress = {"rollup_progress",
                                 "SELECT p.span, p.start_at, p.monitor_id FROM rollup_progress p"};

constexpr Statement kLockProgress = {
    "lock_rollup_progress",
    "SELECT p.span, p.start_at, p.monitor_id FROM rollup_progress p ORDER BY p.span FOR UPDATE"};

constexpr Statement kSaveProgress = {
    "save_rollup_progress",
    "INSERT INTO rollup_progress AS p (span, start_at, monitor_id) "
    "VALUES ($1::smallint, $2::timestamptz, $3::bigint) "
    "ON CONFLICT (span) DO UPDATE SET start_at = excluded.start_at, "
    "monitor_id = excluded.monitor_id"};

// Before what there may be no heartbeat from $1 on: by the day, or by the oldest in the default
// partition. Partitions have no index by time alone.
constexpr Statement kNextHistory = {
    "rollup_next_history",
    "SELECT least((SELECT min(greatest(d.start_at, $1::timestamptz)) FROM ("
    "SELECT to_date(right(c.relname, 8), 'YYYYMMDD')::timestamptz AS start_at FROM pg_inherits i "
    "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'heartbeat'::regclass "
    "AND c.relname ~ '^heartbeat_[0-9]{8}$') d "
    "WHERE d.start_at > $1::timestamptz - interval '24 hours'), "
    "(SELECT min(h.received_at) FROM heartbeat_default h WHERE h.received_at >= $1::timestamptz))"};

constexpr Statement kNextHour = {
    "rollup_next_hour",
    "SELECT min(r.start_at) FROM rollup_hour r WHERE r.start_at >= $1::timestamptz"};

constexpr Statement kMonitors = {"rollup_monitors",
                                 "SELECT s.monitor_id FROM monitor_state s "
                                 "WHERE s.monitor_id > $1::bigint ORDER BY s.monitor_id "
                                 "LIMIT $2::integer"};

// One monitor after another by the index of the history, in its order: what is sorted are the rows
// of one monitor, and no more of them are read than are asked for.
constexpr Statement kSignals = {
    "rollup_signals",
    "SELECT s.monitor_id, h.received_at, h.kind, h.value, h.run_duration_us "
    "FROM monitor_state s CROSS JOIN LATERAL ("
    "SELECT b.received_at, b.push_id, b.kind, b.value, b.run_duration_us FROM heartbeat b "
    "WHERE b.monitor_id = s.monitor_id AND b.received_at >= $1::timestamptz "
    "AND b.received_at < $2::timestamptz AND b.kind IN (1, 2) "
    "ORDER BY b.received_at, b.push_id LIMIT $5::integer) h "
    "WHERE s.monitor_id > $3::bigint AND s.monitor_id <= $4::bigint "
    "ORDER BY s.monitor_id, h.received_at, h.push_id LIMIT $5::integer"};

// The newest of each monitor from $1 on and before $2.
constexpr Statement kBefore = {
    "rollup_before",
    "SELECT u.monitor_id, h.received_at, h.run_duration_us FROM unnest($3::bigint[]) "
    "AS u (monitor_id) CROSS JOIN LATERAL (SELECT e.received_at, e.run_duration_us FROM ("
    "(SELECT b.received_at, b.run_duration_us FROM heartbeat b "
    "WHERE b.monitor_id = u.monitor_id AND b.received_at >= $1::timestamptz "
    "AND b.received_at < $2::timestamptz AND b.kind IN (1, 2) "
    "ORDER BY b.received_at DESC, b.push_id DESC LIMIT 1) "
    "UNION ALL (SELECT k.received_at, k.run_duration_us FROM heartbeat_kept k "
    "WHERE k.monitor_id = u.monitor_id AND k.received_at >= $1::timestamptz "
    "AND k.received_at < $2::timestamptz)) e ORDER BY e.received_at DESC LIMIT 1) h"};

constexpr Statement kMonitorsByKey = {"rollup_definitions",
                                      "SELECT " TOCSIN_DEFINITION_COLUMNS ", " TOCSIN_STATE_COLUMNS
                                      " FROM " TOCSIN_MONITOR_TABLES
                                      " WHERE m.monitor_id = ANY ($1::bigint[])"};

// Since when, for each monitor.
constexpr Statement kStates = {
    "rollup_states",
    "SELECT w.monitor_id, w.start_at, w.end_at FROM "
    "unnest($1::bigint[], $2::timestamptz[]) AS u (monitor_id, since) "
    "JOIN unwatched w ON w.monitor_id = u.monitor_id AND w.end_at > u.since"};

constexpr Statement kIncidents = {
    "rollup_incidents",
    "SELECT i.monitor_id, i.cause, i.opened_at, i.closed_at, i.resolution FROM "
    "unnest($2::bigint[], $3::timestamptz[]) AS u (monitor_id, since) "
    "JOIN incident i ON i.monitor_id = u.monitor_id "
    "WHERE i.opened_at < $1::timestamptz AND (i.closed_at IS NULL OR i.closed_at > u.since)"};

constexpr Statement kGaps = {
    "rollup_gaps",
    "SELECT g.kind, g.start_at, g.end_at FROM gap g WHERE g.end_at >= $1::timestamptz "
    "AND g.start_at < $2::timestamptz"};

// Done again it is the same: progress that was restored from a backup hurts nothing.
constexpr Statement kAddHours = {
    "add_rollup_hours",
    "INSERT INTO rollup_hour AS r (start_at, monitor_id, data) "
    "SELECT $1::timestamptz, u.monitor_id, u.data FROM unnest($2::bigint[], $3::bytea[]) "
    "AS u (monitor_id, data) "
    "ON CONFLICT (start_at, monitor_id) DO UPDATE SET data = excluded.data"};

constexpr Statement kAddDays = {
    "add_rollup_days",
    "INSERT INTO rollup_day AS r (start_at, monitor_id, data) "
    "SELECT $1::timestamptz, u.monitor_id, u.data FROM unnest($2::bigint[], $3::bytea[]) "
    "AS u (monitor_id, data) "
    "ON CONFLICT (start_at, monitor_id) DO UPDATE SET data = excluded.data"};

constexpr Statement kHoursOfDay = {
    "rollup_hours_of_day",
    "SELECT r.start_at, r.monitor_id, r.data FROM generate_series(0, 23) n "
    "JOIN rollup_hour r ON r.start_at = $1::timestamptz + n * interval '1 hour' "
    "WHERE r.monitor_id > $2::bigint AND r.monitor_id <= $3::bigint ORDER BY r.start_at"};

// What an hour of one monitor is made from.
struct Facts {
  std::vector<Signal> signals;  // in order of time, the one that came before among them
  std::vector<Interval> states;
  std::vector<Incident> incidents;
};
using FactsByMonitor = std::map<MonitorKey, Facts>;

std::vector<MonitorKey> KeysOf(const FactsByMonitor& facts) {
  std::vector<MonitorKey> keys;
  for (const auto& [monitor, its] : facts) keys.push_back(monitor);
  return keys;
}

// Runs the statement and hands each row to `read`.
template <typename Reader>
absl::Status ForEach(Session& session, const Statement& statement, const Params& params,
                     Reader read) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(statement, params));
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    read(row);
  }
  return rows.status();
}

std::optional<absl::Duration> ReadDuration(Row& row) {
  const std::optional<int64_t> micros = row.MaybeInt();
  if (!micros.has_value()) return std::nullopt;
  return absl::Microseconds(*micros);
}

// Puts the signal before first, where there is one. Most came within the hour before: only the
// others are looked for in all partitions.
absl::Status AddBefore(Session& session, absl::Time start, FactsByMonitor& facts) {
  std::vector<MonitorKey> missing = KeysOf(facts);
  for (const absl::Time since : {start - kHourLength, absl::InfinitePast()}) {
    Params params;
    params.Time(since).Time(start).Keys8(missing);
    RETURN_IF_ERROR(ForEach(session, kBefore, params, [&](Row& row) {
      std::vector<Signal>& signals = facts[row.Int()].signals;
      Signal before;
      before.at = row.Time();
      before.run_duration = ReadDuration(row);
      signals.insert(signals.begin(), before);
    }));
    std::erase_if(missing, [&](MonitorKey key) { return facts[key].signals.front().at < start; });
    if (missing.empty()) break;
  }
  return absl::OkStatus();
}

absl::Status AddPast(Session& session, absl::Time end, FactsByMonitor& facts) {
  const auto since = [&] {
    RowArrays rows({ElementType::kInt8, ElementType::kTimestamptz}, facts.size());
    for (const auto& [monitor, its] : facts) {
      rows.Row().Int8(monitor).Time(its.signals.front().at);
    }
    return rows;
  };
  Params states, incidents;
  since().MoveTo(states);
  RETURN_IF_ERROR(ForEach(session, kStates, states, [&](Row& row) {
    Facts& its = facts[row.Int()];
    Interval& state = its.states.emplace_back();
    state.start = row.Time();
    state.end = row.Time();
  }));
  incidents.Time(end);
  since().MoveTo(incidents);
  return ForEach(session, kIncidents, incidents, [&](Row& row) {
    Incident& incident = facts[row.Int()].incidents.emplace_back();
    incident.cause = row.As<Cause>();
    incident.opened_at = row.Time();
    incident.closed_at = row.MaybeTime();
    const std::optional<int64_t> resolution = row.MaybeInt();
    if (resolution.has_value()) incident.resolution = static_cast<Resolution>(*resolution);
  });
}

absl::StatusOr<GapList> ReadGaps(Session& session, absl::Time since, absl::Time end) {
  GapList gaps;
  RETURN_IF_ERROR(ForEach(session, kGaps, Params().Time(since).Time(end), [&](Row& row) {
    Gap& gap = gaps.emplace_back();
    gap.kind = row.As<GapKind>();
    gap.start = row.Time();
    gap.end = row.Time();
  }));
  return gaps;
}

// Those of each project that may have a window in it: few, as they are looked at for each monitor.
std::map<ProjectKey, Maintenances> Between(const Maintenances& all, absl::Time since,
                                           absl::Time end) {
  std::map<ProjectKey, Maintenances> some;
  for (const Maintenance& each : all) {
    // Of one that recurs start and end say nothing.
    const bool may_meet = each.recurring.has_value() || (each.start < end && each.end > since);
    if (each.kind == MaintenanceKind::kMaintenance && may_meet) {
      some[each.project].push_back(each);
    }
  }
  return some;
}

absl::Status Save(Session& session, const Statement& statement, absl::Time start,
                  const std::map<MonitorKey, Rollup>& rollups) {
  RowArrays rows({ElementType::kInt8, ElementType::kBytea}, rollups.size());
  for (const auto& [monitor, rollup] : rollups) {
    rows.Row().Int8(monitor).Text(EncodeRollup(rollup));
  }
  Params params;
  params.Time(start);
  std::move(rows).MoveTo(params);
  return session.Run(statement, params).status();
}

absl::StatusOr<RolledTo> ReadRolled(Session& session, MonitorKey monitor) {
  RolledTo rolled;
  RETURN_IF_ERROR(ForEach(session, kProgress, Params(), [&](Row& row) {
    const bool hours = row.Int() == kHours;
    const absl::Time start = row.Time();
    const bool done = monitor <= row.Int();
    (hours ? rolled.hours : rolled.days) =
        done ? start + (hours ? kHourLength : kDayLength) : start;
  }));
  return rolled;
}

}  // namespace

absl::StatusOr<RolledTo> ReadRolledTo(Session& session) {
  return ReadRolled(session, std::numeric_limits<MonitorKey>::max());
}

absl::StatusOr<RolledTo> ReadRolledTo(Session& session, MonitorKey monitor) {
  return ReadRolled(session, monitor);
}

absl::StatusOr<bool> Roller::Run(absl::Time now) {
  for (int step = 0; step < policy_.steps && signals_ < policy_.signals; ++step) {
    RETURN_IF_ERROR(session_.Begin());
    const absl::StatusOr<bool> done = Step(now);
    if (!done.ok() || !*done) {
      session_.Rollback();
      if (done.ok()) return step > 0;
      return done.status();
    }
    RETURN_IF_ERROR(session_.Commit());
  }
  return true;
}

absl::StatusOr<bool> Roller::Step(absl::Time now) {
  ASSIGN_OR_RETURN(Progress progress, LockProgress(now));
  Place& hour = progress.hour;
  Place& day = progress.day;
  const absl::Time over = HourOf(now - kRollupSettle);
  if (day.monitor == 0) RETURN_IF_ERROR(SkipDays(day, hour.start));
  const bool is_day = day.start + kDayLength <= hour.start;
  if (!is_day) {
    if (hour.start >= over) return false;
    if (hour.monitor == 0) RETURN_IF_ERROR(SkipHours(hour, over));
    // A skip over several days, and the days before them, come first.
    const bool new_day = DayOf(hour.start) > day.start;
    if (!new_day && hour.start < over) RETURN_IF_ERROR(RollHour(hour));
  } else {
    RETURN_IF_ERROR(RollDay(day));
  }
  for (const auto& [span, place] : {std::pair(kHours, &hour), std::pair(kDays, &day)}) {
    RETURN_IF_ERROR(
        session_.Run(kSaveProgress, Params().Int(span).Time(place->start).Int(place->monitor))
            .status());
  }
  return true;
}

absl::StatusOr<Roller::Progress> Roller::LockProgress(absl::Time now) {
  Progress progress;
  int known = 0;
  RETURN_IF_ERROR(ForEach(session_, kLockProgress, Params(), [&](Row& row) {
    Place& place = row.Int() == kHours ? progress.hour : progress.day;
    place.start = row.Time();
    place.monitor = row.Int();
    ++known;
  }));
  const absl::Time over = HourOf(now - kRollupSettle);
  if (known == 2 && progress.hour.start > HourOf(now)) {
    // The clock was ahead, at most for so long. What it took for over is done again, and saved in
    // the place of what was made then.
    const absl::Time again = over - kLongestAhead;
    LogError("rollups_ahead_of_the_clock",
             {{"were_at", absl::FormatTime(progress.hour.start, absl::UTCTimeZone())}});
    progress.hour = {.start = again, .monitor = 0};
    progress.day = {.start = std::min(progress.day.start, DayOf(again)), .monitor = 0};
  }
  if (known == 2) return progress;
  // From the oldest heartbeat on that there is.
  progress.hour.start = absl::UnixEpoch();
  RETURN_IF_ERROR(SkipHours(progress.hour, HourOf(now)));
  progress.day.start = DayOf(progress.hour.start);
  return progress;
}

absl::Status Roller::SkipHours(Place& hour, absl::Time over) {
  return ForEach(session_, kNextHistory, Params().Time(hour.start), [&](Row& row) {
    hour.start = std::min(HourOf(row.TimeOr(absl::InfiniteFuture())), over);
  });
}

absl::Status Roller::SkipDays(Place& day, absl::Time over) {
  return ForEach(session_, kNextHour, Params().Time(day.start), [&](Row& row) {
    day.start = DayOf(std::min(row.TimeOr(absl::InfiniteFuture()), over));
  });
}

absl::StatusOr<std::vector<MonitorKey>> Roller::NextMonitors(MonitorKey after) {
  std::vector<MonitorKey> monitors;
  RETURN_IF_ERROR(ForEach(session_, kMonitors, Params().Int(after).Int(policy_.monitors),
                          [&](Row& row) { monitors.push_back(row.Int()); }));
  return monitors;
}

absl::Status Roller::RollHour(Place& hour) {
  const absl::Time start = hour.start;
  const absl::Time end = start + kHourLength;
  ASSIGN_OR_RETURN(const std::vector<MonitorKey> monitors, NextMonitors(hour.monitor));
  FactsByMonitor facts;
  int count = 0;
  const auto read = [&](MonitorKey after, MonitorKey last, int limit) {
    facts.clear();
    count = 0;
    Params params;
    params.Time(start).Time(end).Int(after).Int(last).Int(limit);
    return ForEach(session_, kSignals, params, [&](Row& row) {
      Signal& signal = facts[row.Int()].signals.emplace_back();
      signal.at = row.Time();
      signal.kind = row.As<HeartbeatKind>();
      signal.value = row.MaybeDouble();
      signal.run_duration = ReadDuration(row);
      ++count;
    });
  };
  if (!monitors.empty()) {
    RETURN_IF_ERROR(read(hour.monitor, monitors.back(), policy_.signals));
  }
  const bool cut = count >= policy_.signals;
  if (cut && facts.size() == 1) {
    const MonitorKey only = facts.begin()->first;
    RETURN_IF_ERROR(read(only - 1, only, kMostOfAnHour));
  }
  signals_ += count;
  // There may be more of the last one.
  if (cut && facts.size() > 1) facts.erase(std::prev(facts.end()));
  hour.monitor = cut ? facts.rbegin()->first : monitors.empty() ? 0 : monitors.back();
  if (!cut && static_cast<int>(monitors.size()) < policy_.monitors) hour = {.start = end};
  if (facts.empty()) return absl::OkStatus();

  RETURN_IF_ERROR(AddBefore(session_, start, facts));
  RETURN_IF_ERROR(AddPast(session_, end, facts));
  absl::Time since = start;
  for (const auto& [monitor, its] : facts) since = std::min(since, its.signals.front().at);
  ASSIGN_OR_RETURN(const GapList gaps, ReadGaps(session_, since, end));
  std::map<ProjectKey, Maintenances> maintenances = Between(maintenances_, since, end);
  std::map<MonitorKey, Rollup> rollups;
  Params keys;
  keys.Keys8(KeysOf(facts));
  RETURN_IF_ERROR(ForEach(session_, kMonitorsByKey, keys, [&](Row& row) {
    const Monitor monitor = ReadMonitor(row);
    const Facts& its = facts[monitor.definition.key];
    const absl::Time first = its.signals.front().at;
    const Unwatched unwatched = UnwatchedOf(monitor, its.states, gaps,
                                            maintenances[monitor.definition.project], first, end);
    Rollup rollup =
        RollUp(monitor.definition, start, its.signals, unwatched.intervals, its.incidents);
    if (!rollup.empty()) rollups.emplace(monitor.definition.key, std::move(rollup));
  }));
  return Save(session_, kAddHours, start, rollups);
}

absl::Status Roller::RollDay(Place& day) {
  ASSIGN_OR_RETURN(const std::vector<MonitorKey> monitors, NextMonitors(day.monitor));
  std::map<MonitorKey, Rollup> rollups;
  if (!monitors.empty()) {
    Params params;
    params.Time(day.start).Int(day.monitor).Int(monitors.back());
    RETURN_IF_ERROR(ForEach(session_, kHoursOfDay, params, [&](Row& row) {
      const absl::Time start = row.Time();
      const MonitorKey monitor = row.Int();
      const absl::StatusOr<Rollup> hour = DecodeRollup(row.Bytes(), start);
      if (hour.ok()) {
        rollups[monitor].Add(*hour);
      } else {
        LogError("stored_rollup_is_unreadable",
                 {{"monitor", monitor}, {"start", start}, {"error", hour.status()}});
      }
    }));
    RETURN_IF_ERROR(Save(session_, kAddDays, day.start, rollups));
  }
  const bool was_last = static_cast<int>(monitors.size()) < policy_.monitors;
  day = was_last ? Place{.start = day.start + kDayLength}
                 : Place{.start = day.start, .monitor = monitors.back()};
  return absl::OkStatus();
}

}  // namespace tocsin::core::pg
