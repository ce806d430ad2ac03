// The statements that move the due times of deliveries that wait.
#include "services/core/store/pg/delivery_order.h"

#include "common/status_macros.h"
#include "services/core/store/pg/hot_statements.h"

namespace tocsin::core::pg {
namespace {

// `f` is what waits for one of `keys`. OFFSET 0 makes a search of its own of each step. As a join,
// what is pending could be read whole for each key: when nothing was pending lately, the planner
// takes that for the same. And here as wherever order is looked up, `channel_id + 0` keeps it off
// the indexes of channels, which may have long backlogs: monitors have short ones.
#define TOCSIN_FOLLOWERS(keys, columns, condition)                                                 \
  "FROM unnest(" keys                                                                              \
  "::bigint[]) AS u (delivery_id) CROSS JOIN LATERAL (SELECT d.monitor_id, d.channel_id, "         \
  "d.sequence, d.redelivery, d.next_attempt_at FROM delivery d "                                   \
  "WHERE d.delivery_id = u.delivery_id AND d.monitor_id <> 0 OFFSET 0) d "                         \
  "CROSS JOIN LATERAL (SELECT b.delivery_id" columns                                               \
  " FROM delivery b WHERE b.state = 1 AND b.monitor_id = d.monitor_id "                            \
  "AND b.channel_id + 0 = d.channel_id AND b.sequence > d.sequence AND NOT b.redelivery" condition \
  " OFFSET 0) late "                                                                               \
  "WHERE f.delivery_id = late.delivery_id"

// How many deliveries of a channel are made due at a time.
constexpr int kReleaseBatch = 1000;

constexpr Statement kReleaseBacklogs = {
    "release_backlogs",
    "UPDATE delivery d SET next_attempt_at = $1::timestamptz "
    "FROM channel c CROSS JOIN LATERAL (SELECT b.delivery_id FROM delivery b "
    "WHERE b.channel_id = c.channel_id AND b.state = 1 AND NOT b.gather "
    "AND b.told_by IS NULL AND b.next_attempt_at > $1::timestamptz "
    "AND b.leased_at < c.released_at ORDER BY b.next_attempt_at, b.delivery_id "
    "LIMIT $2::integer FOR NO KEY UPDATE SKIP LOCKED) late "
    "WHERE c.released_at IS NOT NULL AND d.delivery_id = late.delivery_id"};

constexpr Statement kEndRelease = {
    "end_release",
    "UPDATE channel c SET released_at = NULL WHERE c.released_at IS NOT NULL "
    "AND (SELECT true FROM delivery b WHERE b.channel_id = c.channel_id AND b.state = 1 "
    "AND NOT b.gather AND b.told_by IS NULL AND b.next_attempt_at > $1::timestamptz AND "
    "b.leased_at < c.released_at LIMIT 1) IS NULL"};

}  // namespace

const Statement kReleaseFollowers = {
    "release_followers",
    "UPDATE delivery f SET next_attempt_at = least(f.next_attempt_at, "
    "$1::timestamptz) " TOCSIN_FOLLOWERS("$2", "", "")};

constexpr Statement kHoldFollowers = {
    "hold_followers",
    "UPDATE delivery f SET next_attempt_at = greatest(f.next_attempt_at, "
    "$1::timestamptz) " TOCSIN_FOLLOWERS("$2", "", " AND NOT d.redelivery")};

const Statement kPutOffFollowers = {
    "put_off_followers",
    "UPDATE delivery f SET next_attempt_at = greatest(f.next_attempt_at, "
    "late.until) " TOCSIN_FOLLOWERS(
        "$1", ", d.next_attempt_at AS until",
        " AND NOT d.redelivery AND b.next_attempt_at < d.next_attempt_at")};

absl::Status ReleaseBacklogs(Session& session, absl::Time now) {
  RETURN_IF_ERROR(session.Run(kReleaseBacklogs, Params().Time(now).Int(kReleaseBatch)));
  return session.Run(kEndRelease, Params().Time(now)).status();
}

absl::StatusOr<int64_t> ReleaseFollowers(Session& session, absl::Span<const DeliveryKey> finished,
                                         absl::Time now) {
  if (finished.empty()) return 0;
  ASSIGN_OR_RETURN(Rows rows, session.Run(kReleaseFollowers, Params().Time(now).Keys8(finished)));
  return rows.affected();
}

absl::Status HoldFollowers(Session& session, absl::Span<const DeliveryKey> finished,
                           absl::Time until) {
  if (finished.empty()) return absl::OkStatus();
  return session.Run(kHoldFollowers, Params().Time(until).Keys8(finished)).status();
}

absl::Status PutOffFollowers(Session& session, absl::Span<const DeliveryKey> put_off) {
  if (put_off.empty()) return absl::OkStatus();
  return session.Run(kPutOffFollowers, Params().Keys8(put_off)).status();
}

}  // namespace tocsin::core::pg
