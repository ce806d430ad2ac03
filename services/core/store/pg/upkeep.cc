// Partitions and retention, done by one replica at a time in small steps.
#include <algorithm>
#include <memory>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/substitute.h"
#include "absl/time/civil_time.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "services/core/store/pg/channel_sealing.h"
#include "services/core/store/pg/delivery_gathering.h"
#include "services/core/store/pg/pg_store.h"
#include "services/core/store/pg/pg_transaction.h"
#include "services/core/store/pg/rollups.h"
#include "services/core/store/retention.h"

namespace tocsin::core {
namespace {

// How much one call deletes of each kind.
constexpr int kBatch = 5000;
constexpr int kSmallestShare = 1024;
constexpr int kMonitorBatch = 100;
constexpr int kRollupBatch = 20000;
// How many monitors one call looks at.
constexpr int kMendBatch = 50000;
// After the start: while replicas are replaced some may lack the key that is the first here.
constexpr absl::Duration kSealsAnewAfter = absl::Minutes(10);

constexpr pg::Statement kTryLock = {"upkeep_lock",
                                    "SELECT pg_try_advisory_lock(8390033978155740789)"};
constexpr pg::Statement kUnlock = {"upkeep_unlock",
                                   "SELECT pg_advisory_unlock(8390033978155740789)"};

constexpr pg::Statement kPartitions = {
    "partitions",
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = 'heartbeat'::regclass"};

constexpr pg::Statement kDefaultHolds = {
    "default_holds",
    "SELECT EXISTS (SELECT FROM heartbeat_default h "
    "WHERE h.received_at >= $1::timestamptz AND h.received_at < $2::timestamptz)"};

// $0 partition, $1 from, $2 to. ATTACH keeps readers and writers of the table out for no time,
// unlike PARTITION OF.
constexpr char kMakePartition[] =
    "CREATE TABLE $0 (LIKE heartbeat INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES); "
    "ALTER TABLE heartbeat ATTACH PARTITION $0 FOR VALUES FROM ('$1') TO ('$2')";

// $0 table, $1 end. The newest up or down of monitors that have none after the end.
constexpr char kKeepNewest[] =
    "INSERT INTO heartbeat_kept AS k (received_at, monitor_id, push_id, project_id, kind, source, "
    "reason, exit_status, value, run_id, message, run_duration_us, output) "
    "SELECT h.received_at, h.monitor_id, h.push_id, h.project_id, h.kind, h.source, h.reason, "
    "h.exit_status, h.value, h.run_id, h.message, h.run_duration_us, h.output FROM monitor_state s "
    "CROSS JOIN LATERAL ("
    "SELECT h.received_at, h.monitor_id, h.push_id, h.project_id, h.kind, h.source, h.reason, "
    "h.exit_status, h.value, h.run_id, h.message, h.run_duration_us, h.output FROM $0 h WHERE "
    "h.monitor_id = s.monitor_id "
    "AND h.received_at < '$1' AND h.kind IN (1, 2) "
    "ORDER BY h.received_at DESC, h.push_id DESC LIMIT 1) h "
    "WHERE s.last_at IS NULL OR s.last_at < '$1' "
    "ON CONFLICT (monitor_id) DO UPDATE SET received_at = excluded.received_at, "
    "push_id = excluded.push_id, project_id = excluded.project_id, kind = excluded.kind, "
    "source = excluded.source, reason = excluded.reason, exit_status = excluded.exit_status, "
    "value = excluded.value, run_id = excluded.run_id, message = excluded.message, "
    "run_duration_us = excluded.run_duration_us, output = excluded.output "
    "WHERE k.received_at < excluded.received_at";

// DETACH … CONCURRENTLY is not to be had beside a default partition. This one locks the table for
// as long as it takes to change the catalogue, and gives up after the session's lock_timeout.
constexpr char kDropPartition[] = "ALTER TABLE heartbeat DETACH PARTITION $0; DROP TABLE $0";

constexpr pg::Statement kDropFromDefault = {
    "drop_from_default",
    "DELETE FROM heartbeat_default WHERE ctid = ANY (ARRAY(SELECT h.ctid FROM heartbeat_default h "
    "WHERE h.received_at < $1::timestamptz LIMIT $2::integer))"};

// Once the gap that it began is rolled up.
constexpr pg::Statement kForgetKept = {
    "forget_kept",
    "DELETE FROM heartbeat_kept k USING monitor_state s "
    "WHERE s.monitor_id = k.monitor_id AND s.last_at > k.received_at "
    "AND EXISTS (SELECT FROM heartbeat h WHERE h.monitor_id = k.monitor_id "
    "AND h.received_at > k.received_at AND h.received_at < $1::timestamptz AND h.kind IN (1, 2))"};

constexpr pg::Statement kDropHourRollups = {
    "drop_rollup_hours",
    "DELETE FROM rollup_hour WHERE ctid = ANY (ARRAY(SELECT r.ctid FROM rollup_hour r "
    "WHERE r.start_at < $1::timestamptz ORDER BY r.start_at LIMIT $2::integer))"};

constexpr pg::Statement kDropDayRollups = {
    "drop_rollup_days",
    "DELETE FROM rollup_day WHERE ctid = ANY (ARRAY(SELECT r.ctid FROM rollup_day r "
    "WHERE r.start_at < $1::timestamptz ORDER BY r.start_at LIMIT $2::integer))"};

constexpr pg::Statement kPurgeMonitors = {
    "purge_monitors",
    "WITH gone AS (SELECT m.monitor_id FROM monitor m WHERE m.deleted_at < $1::timestamptz "
    "ORDER BY m.deleted_at LIMIT $2::integer FOR UPDATE SKIP LOCKED), "
    "a AS (DELETE FROM push_token t USING gone WHERE t.monitor_id = gone.monitor_id), "
    "b AS (DELETE FROM monitor_sweep t USING gone WHERE t.monitor_id = gone.monitor_id), "
    "c AS (DELETE FROM monitor_state t USING gone WHERE t.monitor_id = gone.monitor_id), "
    "l AS (DELETE FROM monitor_listing t USING gone WHERE t.monitor_id = gone.monitor_id), "
    "d AS (DELETE FROM heartbeat_kept t USING gone WHERE t.monitor_id = gone.monitor_id), "
    "e AS (DELETE FROM run t USING gone WHERE t.monitor_id = gone.monitor_id), "
    "u AS (DELETE FROM unwatched t USING gone WHERE t.monitor_id = gone.monitor_id), "
    "i AS (DELETE FROM passed_deadline t USING gone WHERE t.monitor_id = gone.monitor_id), "
    "j AS (DELETE FROM rejected_push t USING gone WHERE t.monitor_id = gone.monitor_id), "
    "k AS (DELETE FROM rollup_hour t USING gone, generate_series("
    "(SELECT min(r.start_at) FROM rollup_hour r), (SELECT max(r.start_at) FROM rollup_hour r), "
    "interval '1 hour') at WHERE t.start_at = at AND t.monitor_id = gone.monitor_id), "
    "m AS (DELETE FROM rollup_day t USING gone, generate_series("
    "(SELECT min(r.start_at) FROM rollup_day r), (SELECT max(r.start_at) FROM rollup_day r), "
    "interval '24 hours') at WHERE t.start_at = at AND t.monitor_id = gone.monitor_id), "
    "f AS (DELETE FROM delivery t USING gone WHERE t.monitor_id = gone.monitor_id), "
    "g AS (DELETE FROM alert_event t USING gone WHERE t.monitor_id = gone.monitor_id), "
    "h AS (DELETE FROM incident t USING gone WHERE t.monitor_id = gone.monitor_id) "
    "DELETE FROM monitor t USING gone WHERE t.monitor_id = gone.monitor_id"};

// What a core that knows of no maintenance has swept, and would look at no more.
constexpr pg::Statement kMendHeld = {
    "mend_held",
    "UPDATE monitor_sweep w SET sweep_at = i.held_until FROM incident i "
    "WHERE i.closed_at IS NULL AND i.held_until IS NOT NULL AND w.monitor_id = i.monitor_id "
    "AND w.sweep_at IS NULL"};

constexpr pg::Statement kForgetMaintenances = {
    "forget_maintenances",
    "DELETE FROM maintenance WHERE ctid = ANY (ARRAY(SELECT t.ctid FROM maintenance t "
    "WHERE t.end_at < $1::timestamptz LIMIT $2::integer))"};

constexpr pg::Statement kForgetDeletedMaintenances = {
    "forget_deleted_maintenances",
    "DELETE FROM maintenance WHERE ctid = ANY (ARRAY(SELECT t.ctid FROM maintenance t "
    "WHERE t.deleted_at < $1::timestamptz LIMIT $2::integer))"};

constexpr pg::Statement kForgetRuns = {
    "forget_runs",
    "WITH old AS (SELECT r.ctid FROM run r WHERE r.ended_at < $1::timestamptz LIMIT $2::integer) "
    "DELETE FROM run r USING old WHERE r.ctid = old.ctid"};

// A channel that is disabled or deleted takes nothing; what waited for it past its days is given
// up.
constexpr pg::Statement kExpireStranded = {
    "expire_stranded",
    "WITH late AS (SELECT d.delivery_id FROM channel c "
    "JOIN delivery d ON d.channel_id = c.channel_id AND d.state = 1 "
    "AND d.expires_at < $1::timestamptz "
    "WHERE c.disabled_at IS NOT NULL OR c.deleted_at IS NOT NULL "
    "LIMIT $2::integer FOR NO KEY UPDATE OF d SKIP LOCKED) "
    "UPDATE delivery d SET state = 3, finished_at = $1::timestamptz, last_outcome = 'expired', "
    "lease_id = NULL, leased_until = NULL FROM late WHERE d.delivery_id = late.delivery_id"};

// Of deliveries that ended otherwise than by a report: with their monitor or channel.
constexpr pg::Statement kDropLeases = {
    "drop_leases",
    "WITH lost AS (SELECT l.delivery_id FROM lease l WHERE l.leased_until < $1::timestamptz "
    "AND NOT EXISTS (SELECT FROM delivery d WHERE d.delivery_id = l.delivery_id "
    "AND d.state + 0 = 1 AND d.lease_id IS NOT NULL) LIMIT $2::integer) "
    "DELETE FROM lease l USING lost WHERE l.delivery_id = lost.delivery_id"};

// Keys ascend in time: what is due for deletion is found at the low end.
constexpr pg::Statement kDropGaps = {
    "drop_gaps",
    "WITH oldest AS (SELECT g.gap_id FROM gap g ORDER BY g.gap_id LIMIT $2::integer) "
    "DELETE FROM gap g USING oldest WHERE g.gap_id = oldest.gap_id "
    "AND g.end_at < $1::timestamptz"};

// But for the newest, which may last.
constexpr pg::Statement kDropSilences = {
    "drop_silences",
    "DELETE FROM told_silence WHERE since = ANY (ARRAY(SELECT t.since FROM told_silence t "
    "WHERE t.since < $1::timestamptz AND t.since < (SELECT max(n.since) FROM told_silence n) "
    "ORDER BY t.since LIMIT $2::integer))"};

constexpr pg::Statement kDropUnwatched = {
    "drop_unwatched",
    "WITH oldest AS (SELECT u.ctid FROM unwatched u WHERE u.end_at < $1::timestamptz "
    "ORDER BY u.end_at LIMIT $2::integer) DELETE FROM unwatched u USING oldest "
    "WHERE u.ctid = oldest.ctid"};

constexpr pg::Statement kDropPassed = {
    "drop_passed_deadlines",
    "WITH old AS (SELECT t.passed_deadline_id FROM passed_deadline t "
    "ORDER BY t.passed_deadline_id LIMIT $2::integer) DELETE FROM passed_deadline t USING old "
    "WHERE t.passed_deadline_id = old.passed_deadline_id AND t.judged_at < $1::timestamptz"};

constexpr pg::Statement kDropRejected = {
    "drop_rejected_pushes",
    "DELETE FROM rejected_push WHERE ctid = ANY (ARRAY(SELECT t.ctid FROM rejected_push t "
    "WHERE t.minute < $1::timestamptz ORDER BY t.minute LIMIT $2::integer))"};

// Their secrets go with them.
constexpr pg::Statement kForgetKeys = {
    "forget_keys",
    "WITH gone AS (SELECT k.api_key_id FROM api_key k WHERE k.revoked_at < $1::timestamptz "
    "ORDER BY k.revoked_at LIMIT $2::integer FOR UPDATE SKIP LOCKED) "
    "DELETE FROM api_key k USING gone WHERE k.api_key_id = gone.api_key_id"};

constexpr pg::Statement kForgetSecrets = {
    "forget_key_secrets",
    "WITH gone AS (SELECT s.hash FROM api_key_secret s WHERE s.expires_at < $1::timestamptz "
    "AND s.expires_at <> 'infinity' LIMIT $2::integer) "
    "DELETE FROM api_key_secret s USING gone WHERE s.hash = gone.hash"};
constexpr pg::Statement kDropAudit = {
    "drop_audit",
    "WITH oldest AS (SELECT a.audit_entry_id FROM audit_entry a WHERE a.at < $1::timestamptz "
    "ORDER BY a.at, a.audit_entry_id LIMIT $2::integer) "
    "DELETE FROM audit_entry a USING oldest WHERE a.audit_entry_id = oldest.audit_entry_id"};

constexpr pg::Statement kDropRequests = {
    "drop_requests",
    "WITH old AS (SELECT r.actor, r.method, r.request_id FROM request r "
    "WHERE r.at <= $1::timestamptz ORDER BY r.at LIMIT $2::integer FOR UPDATE SKIP LOCKED) "
    "DELETE FROM request r USING old WHERE r.actor = old.actor AND r.method = old.method "
    "AND r.request_id = old.request_id"};

// Of the next $2 monitors, writes anew what lists are filtered by where it is not the state: a
// binary that does not know monitor_listing has changed it. Tells how many were looked at, and the
// last.
constexpr pg::Statement kMendListing = {
    "mend_listing",
    "WITH part AS MATERIALIZED (SELECT s.monitor_id, s.state FROM monitor_state s "
    "WHERE s.monitor_id > $1::bigint ORDER BY s.monitor_id LIMIT $2::integer), "
    "locked AS (SELECT s.monitor_id, s.state FROM monitor_state s WHERE s.monitor_id = ANY (ARRAY("
    "SELECT p.monitor_id FROM part p LEFT JOIN monitor_listing l ON l.monitor_id = p.monitor_id "
    "WHERE l.state IS DISTINCT FROM p.state)) FOR NO KEY UPDATE SKIP LOCKED), "
    "mended AS (INSERT INTO monitor_listing AS l (monitor_id, changed_at, project_id, state, id) "
    "SELECT s.monitor_id, $3::timestamptz, m.project_id, s.state, m.id "
    "FROM locked s JOIN monitor m ON m.monitor_id = s.monitor_id "
    "ON CONFLICT (monitor_id) DO UPDATE SET state = excluded.state, "
    "changed_at = excluded.changed_at WHERE l.state <> excluded.state) "
    "SELECT count(*), coalesce(max(p.monitor_id), 0) FROM part p"};

absl::Time StartOf(absl::CivilDay day) { return absl::FromCivil(day, absl::UTCTimeZone()); }

std::string PartitionName(absl::CivilDay day) {
  return absl::StrFormat("heartbeat_%04d%02d%02d", day.year(), day.month(), day.day());
}

std::optional<absl::CivilDay> PartitionDay(const std::string& name) {
  int64_t digits = 0;
  if (name.size() != PartitionName(absl::CivilDay()).size() ||
      !absl::SimpleAtoi(name.substr(name.size() - 8), &digits)) {
    return std::nullopt;
  }
  return absl::CivilDay(digits / 10000, digits / 100 % 100, digits % 100);
}

absl::StatusOr<std::set<absl::CivilDay>> ReadPartitions(pg::Session& session) {
  ASSIGN_OR_RETURN(pg::Rows rows, session.Run(kPartitions));
  std::set<absl::CivilDay> days;
  for (int i = 0; i < rows.size(); ++i) {
    const std::optional<absl::CivilDay> day = PartitionDay(rows.at(i).Text());
    if (day) days.insert(*day);
  }
  return days;
}

absl::Status RunInTransaction(pg::Session& session,
                              absl::FunctionRef<absl::Status(pg::Session&)> body) {
  RETURN_IF_ERROR(session.Begin());
  const absl::Status status = body(session);
  if (status.ok()) return session.Commit();
  session.Rollback();
  return status;
}

absl::Status MakePartitions(pg::Session& session, const std::set<absl::CivilDay>& existing,
                            int ahead, absl::Time now) {
  const absl::CivilDay today = absl::ToCivilDay(now, absl::UTCTimeZone());
  for (absl::CivilDay day = today - 1; day <= today + ahead; ++day) {
    if (existing.contains(day)) continue;
    // Rows of that day that are in the default partition already keep the day there.
    ASSIGN_OR_RETURN(
        pg::Rows rows,
        session.Run(kDefaultHolds, pg::Params().Time(StartOf(day)).Time(StartOf(day + 1))));
    if (rows.at(0).Bool()) continue;
    RETURN_IF_ERROR(RunInTransaction(session, [&](pg::Session& inner) {
      return inner.Script(absl::Substitute(kMakePartition, PartitionName(day),
                                           pg::TimeText(StartOf(day)),
                                           pg::TimeText(StartOf(day + 1))));
    }));
  }
  return absl::OkStatus();
}

// Drops one partition that ended before `cutoff`; tells whether there are more.
absl::StatusOr<bool> DropOldestPartition(pg::Session& session,
                                         const std::set<absl::CivilDay>& existing,
                                         absl::Time cutoff) {
  if (existing.empty() || StartOf(*existing.begin() + 1) > cutoff) return false;
  const absl::CivilDay day = *existing.begin();
  const std::string name = PartitionName(day);
  RETURN_IF_ERROR(RunInTransaction(session, [&](pg::Session& inner) -> absl::Status {
    RETURN_IF_ERROR(
        inner.Script(absl::Substitute(kKeepNewest, name, pg::TimeText(StartOf(day + 1)))));
    return inner.Script(absl::Substitute(kDropPartition, name));
  }));
  LogInfo("partition_dropped", {{"partition", name}});
  return existing.size() > 1 && StartOf(*std::next(existing.begin()) + 1) <= cutoff;
}

absl::StatusOr<bool> TrimDefaultPartition(pg::Session& session, absl::Time cutoff) {
  ASSIGN_OR_RETURN(pg::Rows old, session.Run(kDefaultHolds,
                                             pg::Params().Time(absl::InfinitePast()).Time(cutoff)));
  if (!old.at(0).Bool()) return false;
  int64_t dropped = 0;
  RETURN_IF_ERROR(RunInTransaction(session, [&](pg::Session& inner) -> absl::Status {
    RETURN_IF_ERROR(
        inner.Script(absl::Substitute(kKeepNewest, "heartbeat_default", pg::TimeText(cutoff))));
    ASSIGN_OR_RETURN(pg::Rows rows,
                     inner.Run(kDropFromDefault, pg::Params().Time(cutoff).Int(kBatch)));
    dropped = rows.affected();
    return absl::OkStatus();
  }));
  return dropped == kBatch;
}

// What comes of a call: its first failure, or whether more is left. A step that fails, mostly for a
// lock that somebody holds for long (a dump), keeps none of the others from being done.
class Outcome {
 public:
  void Add(const absl::StatusOr<bool>& step) {
    status_.Update(step.status());
    more_ |= step.ok() && *step;
  }
  absl::StatusOr<bool> Result() const {
    return status_.ok() ? absl::StatusOr<bool>(more_) : status_;
  }

 private:
  absl::Status status_;
  bool more_ = false;
};

// A step after which nothing is left.
absl::StatusOr<bool> AllDone(const absl::Status& status) {
  if (!status.ok()) return status;
  return false;
}

// What is not rolled up yet stays.
absl::StatusOr<bool> MaintainHistory(pg::Session& session, const RetentionPolicy& policy,
                                     const RolledTo& rolled, absl::Time now) {
  ASSIGN_OR_RETURN(const std::set<absl::CivilDay> existing, ReadPartitions(session));
  const absl::Time cutoff = std::min(now - policy.heartbeats, rolled.hours);
  Outcome outcome;
  outcome.Add(AllDone(MakePartitions(session, existing, policy.partitions_ahead, now)));
  outcome.Add(DropOldestPartition(session, existing, cutoff));
  outcome.Add(TrimDefaultPartition(session, cutoff));
  outcome.Add(
      AllDone(session.Run(kForgetKept, pg::Params().Time(rolled.hours), pg::Session::Scope::kAlone)
                  .status()));
  return outcome.Result();
}

absl::StatusOr<bool> Purge(pg::Session& session, const RetentionPolicy& policy,
                           const RolledTo& rolled, absl::Time now) {
  Outcome outcome;
  const struct {
    const pg::Statement& statement;
    absl::Time cutoff;
    int limit;
  } steps[] = {
      {kPurgeMonitors, now - policy.deleted_monitors, kMonitorBatch},
      {kExpireStranded, now, kBatch},
      {kDropLeases, now, kBatch},
      {kDropGaps, now - GapMemory(policy), kBatch},
      {kDropSilences, now - GapMemory(policy), kBatch},
      {kDropUnwatched, now - UnwatchedMemory(policy), kBatch},
      {kDropPassed, now - policy.heartbeats, kBatch},
      {kDropRejected, now - policy.rejected_pushes, kBatch},
      {kDropHourRollups, std::min(now - policy.rollups.hours, rolled.days), kRollupBatch},
      {kDropDayRollups, now - policy.rollups.days, kRollupBatch},
      {kForgetKeys, now - policy.revoked_keys, kBatch},
      {kForgetSecrets, now - policy.revoked_keys, kBatch},
      {kDropAudit, now - policy.audit, kBatch},
      {kDropRequests, now - kRequestMemory, kBatch},
      {kForgetRuns, now - kRunMemory, kBatch},
      {kForgetMaintenances, now - UnwatchedMemory(policy), kBatch},
      {kForgetDeletedMaintenances, now - kDeletedMaintenanceMemory, kBatch},
  };
  for (const auto& step : steps) {
    const absl::StatusOr<pg::Rows> rows = session.Run(
        step.statement, pg::Params().Time(step.cutoff).Int(step.limit), pg::Session::Scope::kAlone);
    outcome.Add(rows.ok() ? absl::StatusOr<bool>(rows->affected() >= step.limit) : rows.status());
  }
  return outcome.Result();
}

}  // namespace

// Bit by bit and always, since nothing tells when the last such binary has ended.
absl::Status PgStore::MendListing(pg::Session& session, absl::Time now) {
  ASSIGN_OR_RETURN(
      pg::Rows rows,
      session.Run(kMendListing, pg::Params().Int(mended_to_.load()).Int(kMendBatch).Time(now),
                  pg::Session::Scope::kAlone));
  pg::Row row = rows.at(0);
  const bool was_last = row.Int() < kMendBatch;
  mended_to_ = was_last ? 0 : row.Int();
  return rows.status();
}

absl::StatusOr<bool> PgStore::RollUp(pg::Session& session, const RollupPolicy& policy,
                                     absl::Time now) {
  pg::PgTransaction transaction(session, sealer_, maintenances_);
  ASSIGN_OR_RETURN(const std::shared_ptr<const Maintenances> maintenances,
                   transaction.ReadMaintenances());
  // A step that fails for its size is not tried again as it was.
  const int share = roll_share_.load();
  RollupPolicy smaller = policy;
  smaller.monitors = std::max(1, policy.monitors / share);
  smaller.signals = std::max(1, policy.signals / share);
  const absl::StatusOr<bool> more = pg::Roller(session, *maintenances, smaller).Run(now);
  roll_share_ = more.ok() ? std::max(1, share / 2) : std::min(2 * share, kSmallestShare);
  return more;
}

absl::StatusOr<bool> PgStore::Maintain(const RetentionPolicy& policy, absl::Time now) {
  if (first_upkeep_ == absl::InfinitePast()) first_upkeep_ = now;
  ASSIGN_OR_RETURN(pg::SessionPool::Lease session, upkeep_.Take());
  RETURN_IF_ERROR(session->Ready());
  ASSIGN_OR_RETURN(pg::Rows locked, session->Run(kTryLock));
  if (!locked.at(0).Bool()) return false;  // another replica is at it
  Outcome outcome;
  // Whatever is wrong with rollups, pushes need their partitions; then nothing is dropped that may
  // not be rolled up.
  const absl::StatusOr<RolledTo> known = pg::ReadRolledTo(*session);
  outcome.Add(AllDone(known.status()));
  const RolledTo rolled =
      known.ok() ? *known : RolledTo{.hours = absl::InfinitePast(), .days = absl::InfinitePast()};
  outcome.Add(MaintainHistory(*session, policy, rolled, now));
  outcome.Add(Purge(*session, policy, rolled, now));
  outcome.Add(alert_retention_.Drop(*session, now - AlertMemory(policy), kBatch));
  outcome.Add(AllDone(MendListing(*session, now)));
  outcome.Add(AllDone(session->Run(kMendHeld).status()));
  outcome.Add(AllDone(pg::MendDigests(*session)));
  if (now >= first_upkeep_ + kSealsAnewAfter) {
    outcome.Add(AllDone(pg::SealAnew(*session, sealer_)));
    outcome.Add(AllDone(pg::ForgetOldSecrets(*session, sealer_, now)));
  }
  outcome.Add(RollUp(*session, policy.rollups, now));
  outcome.Add(AllDone(session->Run(kUnlock).status()));
  return outcome.Result();
}

}  // namespace tocsin::core
