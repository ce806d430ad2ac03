// Which deliveries go out next, and when to look again.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "services/core/store/pg/alert_rows.h"
#include "services/core/store/pg/delivery_gathering.h"
#include "services/core/store/pg/delivery_order.h"
#include "services/core/store/pg/hot_statements.h"
#include "services/core/store/pg/pg_store.h"

namespace tocsin::core {
namespace pg {

// The channels that have pending deliveries, found by leaps through the index: the cost is that
// of the channels, not of their backlog.
#define TOCSIN_WORKING_CHANNELS                                                    \
  "WITH RECURSIVE working (channel_id) AS (("                                      \
  "SELECT d.channel_id FROM delivery d WHERE " TOCSIN_SENT_ALONE                   \
  " ORDER BY d.channel_id LIMIT 1) "                                               \
  "UNION ALL SELECT (SELECT d.channel_id FROM delivery d WHERE " TOCSIN_SENT_ALONE \
  " "                                                                              \
  "AND d.channel_id > w.channel_id ORDER BY d.channel_id LIMIT 1) "                \
  "FROM working w WHERE w.channel_id IS NOT NULL), "                               \
  "usable AS (SELECT c.channel_id, c.released_at, c.failing_since FROM working w " \
  "JOIN channel c ON c.channel_id = w.channel_id "                                 \
  "WHERE c.disabled_at IS NULL AND c.deleted_at IS NULL) "

// $1 now, $2 limit, $3 per channel, $4 lease end, $5 lease id, $6 per failing channel, $7 other
// numbers by channel, as an object: looked up in one, they cost no join. `state + 0` keeps the
// planner off the indexes of what is pending where the key is known (see delivery_order.cc).
const Statement kLeaseDeliveries = {
    "lease_deliveries", TOCSIN_WORKING_CHANNELS
    ", room AS (SELECT u.channel_id, CASE WHEN u.failing_since IS NOT NULL "
    "AND ($7::jsonb ->> u.channel_id::text) IS DISTINCT FROM '0' THEN $6::integer "
    "ELSE coalesce(($7::jsonb ->> u.channel_id::text)::integer, $3::integer) END - "
    "(SELECT count(*) FROM lease l WHERE l.channel_id = u.channel_id "
    "AND l.leased_until > $1::timestamptz) AS free FROM usable u), "
    "candidate AS (SELECT t.delivery_id, t.turn FROM room r CROSS JOIN LATERAL ("
    "SELECT due.delivery_id, due.next_attempt_at, "
    "row_number() OVER (ORDER BY due.next_attempt_at, due.delivery_id) AS turn FROM ("
    "SELECT d.delivery_id, d.next_attempt_at FROM delivery d "
    "WHERE d.channel_id = r.channel_id AND " TOCSIN_SENT_ALONE
    " "
    "AND d.next_attempt_at <= $1::timestamptz "
    "AND (d.leased_until IS NULL OR d.leased_until <= $1::timestamptz) "
    "AND " TOCSIN_FIRST_IN_ORDER
    " ORDER BY d.next_attempt_at, d.delivery_id LIMIT greatest(r.free, 0)) due) t "
    "ORDER BY t.turn, t.next_attempt_at LIMIT $2::integer), "
    "held AS (SELECT d.delivery_id, k.turn FROM candidate k "
    "JOIN delivery d ON d.delivery_id = k.delivery_id WHERE d.state + 0 = 1 "
    "AND (d.leased_until IS NULL OR d.leased_until <= $1::timestamptz) "
    "FOR NO KEY UPDATE OF d SKIP LOCKED), "
    "leased AS (UPDATE delivery d SET attempts = d.attempts + 1, leased_at = $1::timestamptz, "
    "leased_until = $4::timestamptz, lease_id = $5::text FROM held "
    "WHERE d.delivery_id = held.delivery_id "
    "RETURNING held.turn, " TOCSIN_DELIVERY_COLUMNS
    "), noted AS (INSERT INTO lease (delivery_id, channel_id, leased_until) "
    "SELECT leased.delivery_id, leased.channel_id, leased.leased_until FROM leased "
    "ON CONFLICT (delivery_id) DO UPDATE SET leased_until = excluded.leased_until) "
    "SELECT * FROM leased"};

const Statement kNextDeliveryAt = {
    "next_delivery", TOCSIN_WORKING_CHANNELS
    "SELECT min(least(u.released_at, "
    "(SELECT d.next_attempt_at FROM delivery d WHERE d.channel_id = u.channel_id "
    "AND " TOCSIN_SENT_ALONE
    " AND d.leased_until IS NULL "
    "AND " TOCSIN_FIRST_IN_ORDER
    " ORDER BY d.next_attempt_at, d.delivery_id LIMIT 1), "
    "(SELECT l.leased_until FROM lease l WHERE l.channel_id = u.channel_id "
    "ORDER BY l.leased_until LIMIT 1))) "
    "FROM usable u WHERE u.channel_id <> ALL ($1::bigint[])"};

// LIMIT keeps the planner from reading all incidents to look each up.
const Statement kLeasedEvents = {
    "leased_events",
    "SELECT (SELECT true FROM incident i WHERE i.monitor_id = e.monitor_id "
    "AND i.closed_at IS NULL LIMIT 1) IS NOT NULL, "
    "(SELECT i.closed_at IS NULL FROM incident i WHERE i.incident_id = e.incident_id) IS "
    "TRUE, " TOCSIN_EVENT_COLUMNS " FROM alert_event e WHERE e.event_id = ANY ($1::bigint[])"};

}  // namespace pg
namespace {

// One lease call at a time among all replicas: the cap of a channel is exact, and nobody's
// choice is emptied by another's.
constexpr pg::Statement kLock = {"lease_lock",
                                 "SELECT pg_advisory_xact_lock(8390033978155740780), "
                                 "EXISTS (SELECT FROM channel c WHERE c.released_at IS NOT NULL), "
                                 "EXISTS (SELECT FROM delivery d WHERE d.state = 1 AND d.gather)"};

constexpr pg::Statement kLeasedChannels = {
    "leased_channels", "SELECT " TOCSIN_CHANNEL_COLUMNS
                       " FROM channel c JOIN project p ON p.project_id = c.project_id "
                       "WHERE c.channel_id = ANY ($1::bigint[])"};

// How long this core leaves a channel to others that it cannot open, and a delivery whose event it
// cannot read is left alone: a core of another release may.
constexpr absl::Duration kLeftToOthers = absl::Minutes(1);

constexpr pg::Statement kGiveBack = {
    "give_back",
    "WITH ended AS (DELETE FROM lease l WHERE l.delivery_id = ANY ($1::bigint[])) "
    "UPDATE delivery d SET attempts = greatest(d.attempts - 1, 0), lease_id = NULL, "
    "leased_until = NULL WHERE d.delivery_id = ANY ($1::bigint[])"};

// $1 now, $2 until when.
constexpr pg::Statement kPutOffUnreadable = {
    "put_off_unreadable",
    "UPDATE delivery d SET next_attempt_at = $2::timestamptz, last_outcome = 'unreadable', "
    "state = CASE WHEN d.expires_at < $2::timestamptz THEN 3 ELSE d.state END, "
    "finished_at = CASE WHEN d.expires_at < $2::timestamptz THEN $1::timestamptz END "
    "WHERE d.delivery_id = ANY ($3::bigint[]) RETURNING d.delivery_id, d.state = 3"};

// Deliveries whose events cannot be read: to be tried again a while later, and dead once their time
// is over, or what waits for them would wait for good.
absl::Status PutOffUnreadable(pg::Session& session, const std::set<DeliveryKey>& deliveries,
                              absl::Time now) {
  ASSIGN_OR_RETURN(pg::Rows rows,
                   session.Run(kPutOffUnreadable,
                               pg::Params().Time(now).Time(now + kLeftToOthers).Keys8(deliveries)));
  std::vector<DeliveryKey> dead, waiting;
  for (int i = 0; i < rows.size(); ++i) {
    pg::Row row = rows.at(i);
    const DeliveryKey key = row.Int();
    (row.Bool() ? dead : waiting).push_back(key);
  }
  RETURN_IF_ERROR(rows.status());
  RETURN_IF_ERROR(pg::ReleaseFollowers(session, dead, now).status());
  return pg::PutOffFollowers(session, waiting);
}

// Whether what the channel is sent with could be opened.
bool CanBeSent(const Channel& channel) {
  const bool needs_secret = channel.format != ChannelFormat::kSlack;
  return !channel.url.empty() && !channel.headers_closed &&
         (!needs_secret || !channel.secrets.empty());
}

struct Turn {
  int64_t turn = 0;
  Delivery delivery;
};

absl::StatusOr<std::vector<Turn>> ReadTurns(pg::Rows& rows) {
  std::vector<Turn> turns;
  for (int i = 0; i < rows.size(); ++i) {
    pg::Row row = rows.at(i);
    Turn turn;
    turn.turn = row.Int();
    ASSIGN_OR_RETURN(turn.delivery, pg::ReadDelivery(row));
    turns.push_back(std::move(turn));
  }
  RETURN_IF_ERROR(rows.status());
  std::sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) {
    return std::tie(a.turn, a.delivery.next_attempt_at, a.delivery.key) <
           std::tie(b.turn, b.delivery.next_attempt_at, b.delivery.key);
  });
  return turns;
}

std::string AllowancesToJson(const LeaseRequest& request) {
  return absl::StrCat("{",
                      absl::StrJoin(request.allowances, ",",
                                    [](std::string* out, const auto& entry) {
                                      absl::StrAppend(out, "\"", entry.first, "\":", entry.second);
                                    }),
                      "}");
}

struct KnownEvent {
  AlertEvent event;
  bool any_open = false;  // of the monitor
  bool own_open = false;
};

// Those that are unreadable are added to `unreadable`.
absl::StatusOr<std::unordered_map<EventKey, KnownEvent>> ReadEvents(
    pg::Session& session, const std::vector<Turn>& turns,
    std::map<EventKey, absl::Status>& unreadable) {
  std::vector<EventKey> keys;
  for (const Turn& turn : turns) {
    keys.insert(keys.end(), turn.delivery.events.begin(), turn.delivery.events.end());
  }
  std::unordered_map<EventKey, KnownEvent> events;
  if (keys.empty()) return events;
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  ASSIGN_OR_RETURN(pg::Rows rows, session.Run(pg::kLeasedEvents, pg::Params().Keys8(keys)));
  for (int i = 0; i < rows.size(); ++i) {
    pg::Row row = rows.at(i);
    KnownEvent known;
    known.any_open = row.Bool();
    known.own_open = row.Bool();
    const absl::Status read = pg::ReadOneEvent(row, known.event);
    const EventKey key = known.event.key;
    if (read.ok()) {
      events[key] = std::move(known);
    } else {
      unreadable.emplace(key, read);
    }
  }
  RETURN_IF_ERROR(rows.status());
  return events;
}

absl::StatusOr<std::unordered_map<ChannelKey, Channel>> ReadChannels(pg::Session& session,
                                                                     const std::vector<Turn>& turns,
                                                                     const Sealer& sealer) {
  std::unordered_set<ChannelKey> keys;
  for (const Turn& turn : turns) keys.insert(turn.delivery.channel);
  ASSIGN_OR_RETURN(pg::Rows rows, session.Run(kLeasedChannels, pg::Params().Keys8(keys)));
  std::unordered_map<ChannelKey, Channel> channels;
  for (int i = 0; i < rows.size(); ++i) {
    pg::Row row = rows.at(i);
    Channel channel = pg::ReadChannel(row, sealer);
    const ChannelKey key = channel.key;
    channels[key] = std::move(channel);
  }
  RETURN_IF_ERROR(rows.status());
  return channels;
}

absl::StatusOr<std::vector<LeasedDelivery>> Lease(
    pg::Session& session, const Sealer& sealer, const LeaseRequest& request,
    std::map<ChannelKey, absl::Time>& left_to_others) {
  std::vector<LeasedDelivery> leased;
  ASSIGN_OR_RETURN(pg::Rows lock, session.Run(kLock));
  pg::Row locked = lock.at(0);
  locked.Skip();
  const bool releases = locked.Bool(), gathers = locked.Bool();
  if (releases) RETURN_IF_ERROR(pg::ReleaseBacklogs(session, request.now));
  if (gathers) RETURN_IF_ERROR(pg::GatherDeliveries(session, request.now));
  ASSIGN_OR_RETURN(pg::Rows rows,
                   session.Run(pg::kLeaseDeliveries, pg::Params()
                                                         .Time(request.now)
                                                         .Int(request.limit)
                                                         .Int(request.per_channel)
                                                         .Time(request.now + request.lease)
                                                         .Text(request.lease_id)
                                                         .Int(request.per_failing_channel)
                                                         .Text(AllowancesToJson(request))));
  if (rows.empty()) return leased;
  ASSIGN_OR_RETURN(std::vector<Turn> turns, ReadTurns(rows));
  ASSIGN_OR_RETURN(const auto channels, ReadChannels(session, turns, sealer));
  std::map<EventKey, absl::Status> unreadable;
  ASSIGN_OR_RETURN(const auto events, ReadEvents(session, turns, unreadable));
  std::set<DeliveryKey> given_back, put_off;
  for (Turn& turn : turns) {
    LeasedDelivery assignment;
    const auto channel = channels.find(turn.delivery.channel);
    // Its URL is sealed with a key that another core may have.
    if (channel == channels.end() || !CanBeSent(channel->second)) {
      given_back.insert(turn.delivery.key);
      left_to_others[turn.delivery.channel] = request.now + kLeftToOthers;
      continue;
    }
    // A digest counts them, and only names those that it knows.
    const bool readable =
        turn.delivery.type == DeliveryType::kDigest ||
        std::none_of(turn.delivery.events.begin(), turn.delivery.events.end(),
                     [&](const EventKey key) { return unreadable.contains(key); });
    if (!readable) {
      given_back.insert(turn.delivery.key);
      put_off.insert(turn.delivery.key);
      continue;
    }
    assignment.channel = channel->second;
    DropOldSecrets(assignment.channel, request.now);
    for (const EventKey key : turn.delivery.events) {
      const auto known = events.find(key);
      if (known == events.end()) continue;
      assignment.events.push_back(known->second.event);
      assignment.incident_open |=
          turn.delivery.redelivery ? known->second.own_open : known->second.any_open;
    }
    assignment.delivery = std::move(turn.delivery);
    leased.push_back(std::move(assignment));
  }
  if (!given_back.empty()) {
    RETURN_IF_ERROR(session.Run(kGiveBack, pg::Params().Keys8(given_back)));
  }
  if (!unreadable.empty()) {
    const auto& [event, error] = *unreadable.begin();
    LogError("events_unreadable",
             {{"events", unreadable.size()}, {"first", event}, {"error", error}});
  }
  if (!put_off.empty()) RETURN_IF_ERROR(PutOffUnreadable(session, put_off, request.now));
  return leased;
}

}  // namespace

absl::StatusOr<std::vector<LeasedDelivery>> PgStore::LeaseDeliveries(const LeaseRequest& request) {
  std::vector<LeasedDelivery> leased;
  if (request.limit <= 0) return leased;
  LeaseRequest mine = request;
  std::map<ChannelKey, absl::Time> left;
  {
    absl::MutexLock lock(&left_mutex_);
    std::erase_if(left_to_others_, [&](const auto& each) { return each.second <= request.now; });
    left = left_to_others_;
  }
  for (const auto& [channel, until] : left) mine.allowances[channel] = 0;
  RETURN_IF_ERROR(
      InTransaction(delivery_, [&](pg::Session& session) -> absl::StatusOr<std::string> {
        ASSIGN_OR_RETURN(leased, Lease(session, sealer_, mine, left));
        return "";
      }));
  absl::MutexLock lock(&left_mutex_);
  left_to_others_ = std::move(left);
  return leased;
}

absl::StatusOr<absl::Time> PgStore::NextDeliveryAt() {
  ASSIGN_OR_RETURN(pg::SessionPool::Lease session, delivery_.Take());
  RETURN_IF_ERROR(session->Ready());
  std::set<ChannelKey> left;
  {
    absl::MutexLock lock(&left_mutex_);
    for (const auto& [channel, until] : left_to_others_) left.insert(channel);
  }
  ASSIGN_OR_RETURN(pg::Rows rows, session->Run(pg::kNextDeliveryAt, pg::Params().Keys8(left)));
  const absl::Time next = rows.at(0).TimeOr(absl::InfiniteFuture());
  RETURN_IF_ERROR(rows.status());
  ASSIGN_OR_RETURN(const absl::Time gathered, pg::NextGatheringAt(*session));
  return std::min(next, gathered);
}

}  // namespace tocsin::core
