// Gathers the alerts of a storm into digests.
#include "services/core/store/pg/delivery_gathering.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "services/core/domain/gathering.h"
#include "services/core/store/new_delivery.h"
#include "services/core/store/pg/alert_rows.h"
#include "services/core/store/pg/hot_statements.h"
#include "services/core/store/pg/snapshot.h"

namespace tocsin::core::pg {

// Of table d: it waits to be gathered. A core of the release before may have leased it.
#define TOCSIN_MAY_GATHER "d.state = 1 AND d.gather AND d.lease_id IS NULL"

// The channels for which something waits, found by leaps through the index, with their windows w.
#define TOCSIN_GATHERING_CHANNELS                                                                \
  "WITH RECURSIVE gathering (channel_id) AS (("                                                  \
  "SELECT d.channel_id FROM delivery d WHERE d.state = 1 AND d.gather "                          \
  "ORDER BY d.channel_id LIMIT 1) "                                                              \
  "UNION ALL SELECT (SELECT d.channel_id FROM delivery d WHERE d.state = 1 AND d.gather "        \
  "AND d.channel_id > g.channel_id ORDER BY d.channel_id LIMIT 1) "                              \
  "FROM gathering g WHERE g.channel_id IS NOT NULL), "                                           \
  "usable AS (SELECT c.channel_id, c.project_id, c.group_limit, c.group_wait_us, w.started_at, " \
  "coalesce(w.sent, 0) AS sent FROM gathering g JOIN channel c ON c.channel_id = g.channel_id "  \
  "LEFT JOIN gather_window w ON w.channel_id = c.channel_id "                                    \
  "WHERE c.disabled_at IS NULL AND c.deleted_at IS NULL) "

const Statement kGathering = {
    "gathering", TOCSIN_GATHERING_CHANNELS
    "SELECT u.channel_id, u.project_id, u.group_limit, u.group_wait_us, u.started_at, u.sent, "
    "x.waiting, CASE WHEN x.waiting <= u.group_limit THEN "
    "(SELECT true FROM delivery d WHERE d.channel_id = u.channel_id AND " TOCSIN_MAY_GATHER
    " AND d.next_attempt_at <= $1::timestamptz AND NOT " TOCSIN_FIRST_IN_ORDER
    " LIMIT 1) IS NOT NULL ELSE false END FROM usable u CROSS JOIN LATERAL ("
    "SELECT count(*) AS waiting FROM (SELECT true FROM delivery d "
    "WHERE d.channel_id = u.channel_id AND " TOCSIN_MAY_GATHER
    " AND d.next_attempt_at <= $1::timestamptz "
    "AND " TOCSIN_FIRST_IN_ORDER
    " ORDER BY d.next_attempt_at, d.delivery_id "
    "LIMIT u.group_limit + 1) one) x"};

// Also of one that must wait for another: it is put off when it is due, see kPutOffWaiting.
const Statement kNextGatheringAt = {
    "next_gathering", TOCSIN_GATHERING_CHANNELS
    "SELECT min((SELECT greatest(d.next_attempt_at, CASE WHEN u.sent >= u.group_limit "
    "THEN u.started_at + u.group_wait_us * interval '1 microsecond' END) FROM delivery d "
    "WHERE d.channel_id = u.channel_id AND " TOCSIN_MAY_GATHER
    " ORDER BY d.next_attempt_at, d.delivery_id LIMIT 1)) FROM usable u"};

namespace {

// $1 channel, $2 now, $3 limit
#define TOCSIN_WAITING                                                                        \
  "waiting AS (SELECT d.delivery_id, d.events FROM delivery d "                               \
  "WHERE d.channel_id = $1::bigint AND " TOCSIN_MAY_GATHER                                    \
  " AND d.next_attempt_at <= $2::timestamptz AND " TOCSIN_FIRST_IN_ORDER                      \
  " ORDER BY d.next_attempt_at, d.delivery_id LIMIT $3::integer FOR NO KEY UPDATE OF d SKIP " \
  "LOCKED) "

// How long what must wait is not looked at again, unless what it waits for is finished before: that
// makes it due (ReleaseFollowers).
constexpr absl::Duration kLookAgain = absl::Minutes(1);
constexpr int kPutOffBatch = 1000;

// $3 until when, $4 limit. Of those that are due the ones that must wait for another: what waits
// for a digest may be much, and would be looked at by every lease. What each waits for is locked
// until the commit: who finishes it meanwhile finds that it was put off, and if somebody is at it
// already, it is left as it is.
constexpr Statement kPutOffWaiting = {
    "gather_put_off",
    "WITH due AS (SELECT d.delivery_id, d.redelivery, d.monitor_id, d.channel_id, d.sequence "
    "FROM delivery d WHERE d.channel_id = $1::bigint AND " TOCSIN_MAY_GATHER
    " AND d.next_attempt_at <= $2::timestamptz "
    "ORDER BY d.next_attempt_at, d.delivery_id LIMIT $4::integer), "
    "late AS (SELECT d.delivery_id FROM due d CROSS JOIN LATERAL (SELECT b.delivery_id "
    "FROM delivery b WHERE b.state = 1 AND b.monitor_id = d.monitor_id "
    "AND b.channel_id + 0 = d.channel_id AND b.sequence < d.sequence AND NOT b.redelivery "
    "LIMIT 1 FOR SHARE SKIP LOCKED) before WHERE NOT d.redelivery AND d.monitor_id <> 0), "
    "waiting AS (SELECT w.delivery_id FROM late JOIN delivery w "
    "ON w.delivery_id = late.delivery_id WHERE w.state + 0 = 1 "
    "AND w.lease_id IS NULL FOR NO KEY UPDATE OF w SKIP LOCKED) "
    "UPDATE delivery d SET next_attempt_at = $3::timestamptz FROM waiting "
    "WHERE d.delivery_id = waiting.delivery_id"};

constexpr Statement kLetGo = {"gather_let_go", "WITH " TOCSIN_WAITING
                                               "UPDATE delivery d SET gather = false FROM waiting "
                                               "WHERE d.delivery_id = waiting.delivery_id"};

// $4 the id of the digest. What it tells, with what the newest event of each says: the beginning of
// an incident that is over by then would be told as one that lasts.
constexpr Statement kGather = {
    "gather",
    "WITH " TOCSIN_WAITING
    ", made AS (SELECT nextval('outbox_id') AS digest_id), "
    "told AS (UPDATE delivery d SET gather = false, told_by = $4::text, "
    "lease_id = $4::text, leased_until = 'infinity' FROM waiting "
    "WHERE d.delivery_id = waiting.delivery_id) "
    "SELECT made.digest_id, CASE WHEN i.cause IS NOT NULL THEN e.event_id END, e.type, i.cause "
    "FROM made, waiting "
    "LEFT JOIN alert_event e ON e.event_id = waiting.events[array_upper(waiting.events, 1)] "
    "LEFT JOIN incident i ON i.incident_id = e.incident_id ORDER BY e.event_id"};

constexpr Statement kAddDigest = {
    "add_digest",
    "INSERT INTO delivery (delivery_id, id, project_id, channel_id, monitor_id, sequence, type, "
    "state, redelivery, attempts, skipped, last_http_status, events, extra, occurred_at, "
    "created_at, next_attempt_at, expires_at, last_outcome) "
    "VALUES ($1::bigint, $2::text, $3::integer, $4::bigint, 0, 0, $5::smallint, 1, false, 0, 0, 0, "
    "$6::bigint[], $7::jsonb, $8::timestamptz, $8::timestamptz, $8::timestamptz, "
    "$9::timestamptz, '')"};

constexpr Statement kSaveWindow = {
    "save_gather_window",
    "INSERT INTO gather_window (channel_id, started_at, sent) "
    "VALUES ($1::bigint, $2::timestamptz, $3::integer) ON CONFLICT (channel_id) DO UPDATE "
    "SET started_at = excluded.started_at, sent = excluded.sent"};

// One that was dead and was sent again after all tells them again, too. OFFSET 0: as in
// delivery_order.cc. That it is told by the digest is looked at again, on the row that is locked:
// somebody may have sent it again by itself; `|| ''` keeps that off the index.
#define TOCSIN_FOLLOW(which)                                                     \
  "UPDATE delivery d SET state = g.state, attempts = g.attempts, "               \
  "finished_at = g.finished_at, last_outcome = g.last_outcome, "                 \
  "last_http_status = g.last_http_status, lease_id = NULL, leased_until = NULL " \
  "FROM delivery g CROSS JOIN LATERAL (SELECT t.delivery_id FROM delivery t "    \
  "WHERE t.told_by = g.id OFFSET 0) told "                                       \
  "WHERE d.delivery_id = told.delivery_id AND d.told_by || '' = g.id AND " which \
  " RETURNING d.delivery_id"

constexpr Statement kFollowDigest = {
    "follow_digest",
    TOCSIN_FOLLOW("g.delivery_id = $1::bigint AND (d.state = 1 OR (d.state = 3 AND g.state = 2))")};

constexpr Statement kMendDigests = {
    "mend_digests", TOCSIN_FOLLOW("d.state = 1 AND d.leased_until = 'infinity' AND g.state <> 1")};

// What a core of the release before has tried is sent by itself from then on.
constexpr Statement kMendLeased = {
    "mend_leased_gathering",
    "UPDATE delivery d SET gather = false WHERE d.state = 1 AND d.gather AND d.attempts > 0"};

struct Gathering {
  Channel channel;
  GatherWindow window;
  int32_t waiting = 0;
  bool must_wait = false;  // something that is due, for another
};

absl::StatusOr<std::vector<Gathering>> Look(Session& session, absl::Time now) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(kGathering, Params().Time(now)));
  std::vector<Gathering> found;
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    Gathering& gathering = found.emplace_back();
    gathering.channel.key = row.Int();
    gathering.channel.project = row.Int();
    gathering.channel.group_limit = row.Int32();
    gathering.channel.group_wait = absl::Microseconds(row.Int());
    gathering.window.started_at = row.TimeOr(absl::InfinitePast());
    gathering.window.sent = row.Int32();
    gathering.waiting = row.Int32();
    gathering.must_wait = row.Bool();
  }
  RETURN_IF_ERROR(rows.status());
  return found;
}

absl::Status MakeDigest(Session& session, const Channel& channel, absl::Time now) {
  Delivery digest = NewDelivery(channel.project, DeliveryType::kDigest, now);
  ASSIGN_OR_RETURN(
      Rows rows,
      session.Run(kGather, Params().Int(channel.key).Time(now).Int(kMaxGathered).Text(digest.id)));
  DigestCounter counter;
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    digest.key = row.Int();
    if (row.NextIsNull()) continue;  // retention has forgotten it
    const EventKey event = row.Int();
    if (digest.events.size() < kNamedInDigest) digest.events.push_back(event);
    const auto type = row.As<EventType>();
    counter.Add(type, row.As<Cause>());
  }
  RETURN_IF_ERROR(rows.status());
  if (rows.empty()) return absl::OkStatus();  // others have taken them
  digest.digest = counter.Facts();
  return session
      .Run(kAddDigest, Params()
                           .Int(digest.key)
                           .Text(digest.id)
                           .Int(digest.project)
                           .Int(channel.key)
                           .Int(static_cast<int>(digest.type))
                           .Text(KeysToText(digest.events))
                           .Text(ExtraToJson(digest))
                           .Time(now)
                           .Time(digest.expires_at))
      .status();
}

absl::Status Gather(Session& session, const Gathering& gathering, absl::Time now) {
  const Channel& channel = gathering.channel;
  if (gathering.must_wait) {
    RETURN_IF_ERROR(
        session.Run(kPutOffWaiting,
                    Params().Int(channel.key).Time(now).Time(now + kLookAgain).Int(kPutOffBatch)));
  }
  const GatherPlan plan = PlanGathering(channel, gathering.window, gathering.waiting, now);
  if (plan.release > 0) {
    RETURN_IF_ERROR(session.Run(kLetGo, Params().Int(channel.key).Time(now).Int(plan.release)));
  }
  if (plan.digest) RETURN_IF_ERROR(MakeDigest(session, channel, now));
  if (plan.window == gathering.window) return absl::OkStatus();
  return session
      .Run(kSaveWindow,
           Params().Int(channel.key).Time(plan.window.started_at).Int(plan.window.sent))
      .status();
}

}  // namespace

absl::Status GatherDeliveries(Session& session, absl::Time now) {
  ASSIGN_OR_RETURN(const std::vector<Gathering> found, Look(session, now));
  for (const Gathering& gathering : found) RETURN_IF_ERROR(Gather(session, gathering, now));
  return absl::OkStatus();
}

absl::StatusOr<absl::Time> NextGatheringAt(Session& session) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(kNextGatheringAt));
  const absl::Time next = rows.at(0).TimeOr(absl::InfiniteFuture());
  RETURN_IF_ERROR(rows.status());
  return next;
}

absl::Status FollowDigest(Session& session, DeliveryKey digest, std::vector<DeliveryKey>& keys) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(kFollowDigest, Params().Int(digest)));
  for (int i = 0; i < rows.size(); ++i) keys.push_back(rows.at(i).Int());
  return rows.status();
}

absl::Status MendDigests(Session& session) {
  RETURN_IF_ERROR(session.Run(kMendDigests).status());
  return session.Run(kMendLeased).status();
}

}  // namespace tocsin::core::pg
