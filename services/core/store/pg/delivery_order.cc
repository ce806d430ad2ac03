// The statements that move the due times of deliveries that wait.
#include "services/core/store/pg/delivery_order.h"

#include "common/status_macros.h"

namespace tocsin::core::pg {
namespace {

// Here as wherever order is looked up, `channel_id + 0` keeps the planner off the indexes of
// channels, which may have long backlogs; monitors have short ones.
constexpr Statement kRelease = {
    "release_followers",
    "UPDATE delivery f SET next_attempt_at = least(f.next_attempt_at, $1::timestamptz) "
    "FROM delivery d WHERE d.delivery_id = ANY ($2::bigint[]) AND d.monitor_id <> 0 "
    "AND f.state = 1 AND f.monitor_id = d.monitor_id AND f.channel_id + 0 = d.channel_id "
    "AND f.sequence > d.sequence AND NOT f.redelivery"};

constexpr Statement kPutOff = {
    "put_off_followers",
    "UPDATE delivery f SET next_attempt_at = d.next_attempt_at "
    "FROM delivery d WHERE d.delivery_id = ANY ($1::bigint[]) AND d.monitor_id <> 0 "
    "AND NOT d.redelivery AND f.state = 1 AND f.monitor_id = d.monitor_id "
    "AND f.channel_id + 0 = d.channel_id AND f.sequence > d.sequence AND NOT f.redelivery "
    "AND f.next_attempt_at < d.next_attempt_at"};

// How many deliveries of a channel are made due at a time.
constexpr int kReleaseBatch = 1000;

constexpr Statement kReleaseBacklogs = {
    "release_backlogs",
    "UPDATE delivery d SET next_attempt_at = $1::timestamptz "
    "FROM channel c CROSS JOIN LATERAL (SELECT b.delivery_id FROM delivery b "
    "WHERE b.channel_id = c.channel_id AND b.state = 1 AND b.next_attempt_at > $1::timestamptz "
    "AND b.leased_at < c.released_at ORDER BY b.next_attempt_at, b.delivery_id "
    "LIMIT $2::integer FOR NO KEY UPDATE SKIP LOCKED) late "
    "WHERE c.released_at IS NOT NULL AND d.delivery_id = late.delivery_id"};

constexpr Statement kEndRelease = {
    "end_release",
    "UPDATE channel c SET released_at = NULL WHERE c.released_at IS NOT NULL "
    "AND NOT EXISTS (SELECT FROM delivery b WHERE b.channel_id = c.channel_id AND b.state = 1 "
    "AND b.next_attempt_at > $1::timestamptz AND b.leased_at < c.released_at)"};

}  // namespace

absl::Status ReleaseBacklogs(Session& session, absl::Time now) {
  RETURN_IF_ERROR(session.Run(kReleaseBacklogs, Params().Time(now).Int(kReleaseBatch)));
  return session.Run(kEndRelease, Params().Time(now)).status();
}

absl::StatusOr<int64_t> ReleaseFollowers(Session& session, absl::Span<const DeliveryKey> finished,
                                         absl::Time now) {
  if (finished.empty()) return 0;
  ASSIGN_OR_RETURN(Rows rows, session.Run(kRelease, Params().Time(now).Keys8(finished)));
  return rows.affected();
}

absl::Status PutOffFollowers(Session& session, absl::Span<const DeliveryKey> put_off) {
  if (put_off.empty()) return absl::OkStatus();
  return session.Run(kPutOff, Params().Keys8(put_off)).status();
}

}  // namespace tocsin::core::pg
