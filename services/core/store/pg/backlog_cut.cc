// Locks backlogs, decides what is kept of them, and supersedes the rest.
#include "services/core/store/pg/backlog_cut.h"

#include <algorithm>
#include <map>
#include <optional>

#include "common/status_macros.h"
#include "services/core/domain/backlog.h"
#include "services/core/store/pg/alert_rows.h"
#include "services/core/store/pg/delivery_order.h"
#include "services/core/store/pg/hot_statements.h"
#include "services/core/store/pg/row_arrays.h"

namespace tocsin::core::pg {

// See delivery_order.cc for OFFSET and the first sum; the last one keeps the planner off the
// primary key, and that of the state off the indexes of what is pending.
const Statement kLockBacklogs = {
    "lock_backlogs",
    "SELECT " TOCSIN_DELIVERY_COLUMNS
    ", (SELECT c.format FROM channel c WHERE c.channel_id = d.channel_id)"
    " FROM unnest($1::bigint[], $2::bigint[]) AS u (monitor_id, channel_id) "
    "CROSS JOIN LATERAL (SELECT b.delivery_id FROM delivery b WHERE b.state = 1 "
    "AND b.monitor_id = u.monitor_id AND b.channel_id + 0 = u.channel_id AND NOT b.redelivery "
    "OFFSET 0) waiting JOIN delivery d ON d.delivery_id = waiting.delivery_id "
    "WHERE d.state + 0 = 1 AND NOT d.redelivery ORDER BY d.delivery_id + 0 FOR NO KEY UPDATE OF d"};

namespace {

constexpr Statement kSupersede = {
    "supersede",
    "UPDATE delivery d SET state = 4, finished_at = u.at "
    "FROM unnest($1::bigint[], $2::timestamptz[]) AS u (delivery_id, at) "
    "WHERE d.delivery_id = u.delivery_id"};

constexpr Statement kSaveSkipped = {
    "save_skipped",
    "UPDATE delivery d SET skipped = u.skipped "
    "FROM unnest($1::bigint[], $2::integer[]) AS u (delivery_id, skipped) "
    "WHERE d.delivery_id = u.delivery_id"};

struct Backlog {
  std::vector<Delivery> queue;
  bool knows_incidents = false;
};
using Backlogs = std::map<std::pair<MonitorKey, ChannelKey>, Backlog>;

absl::StatusOr<Backlogs> LockBacklogs(Session& session,
                                      absl::Span<const std::pair<MonitorKey, ChannelKey>> wanted) {
  RowArrays arrays({ElementType::kInt8, ElementType::kInt8}, wanted.size());
  for (const auto& [monitor, channel] : wanted) arrays.Row().Int8(monitor).Int8(channel);
  Params params;
  std::move(arrays).MoveTo(params);
  ASSIGN_OR_RETURN(Rows rows, session.Run(kLockBacklogs, params));
  Backlogs backlogs;
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    ASSIGN_OR_RETURN(Delivery delivery, ReadDelivery(row));
    Backlog& backlog = backlogs[{delivery.monitor, delivery.channel}];
    backlog.knows_incidents = KnowsIncidents(static_cast<ChannelFormat>(row.Int()));
    backlog.queue.push_back(std::move(delivery));
  }
  RETURN_IF_ERROR(rows.status());
  for (auto& [key, backlog] : backlogs) {
    std::stable_sort(backlog.queue.begin(), backlog.queue.end(),
                     [](const Delivery& a, const Delivery& b) { return a.sequence < b.sequence; });
  }
  return backlogs;
}

}  // namespace

absl::Status CutBacklogs(Session& session,
                         absl::Span<const std::pair<MonitorKey, ChannelKey>> backlogs) {
  ASSIGN_OR_RETURN(const Backlogs locked, LockBacklogs(session, backlogs));
  RowArrays superseded({ElementType::kInt8, ElementType::kTimestamptz}, locked.size());
  RowArrays newest({ElementType::kInt8, ElementType::kInt4}, locked.size());
  std::vector<DeliveryKey> were_first;
  absl::Time now = absl::InfinitePast();
  for (const auto& [key, backlog] : locked) {
    const std::vector<Delivery>& queue = backlog.queue;
    const std::optional<BacklogCut> cut = CutBacklog(queue, backlog.knows_incidents);
    if (!cut.has_value()) continue;
    now = std::max(now, cut->at);
    if (queue.front().key == cut->superseded.front()) were_first.push_back(queue.front().key);
    for (const DeliveryKey delivery : cut->superseded)
      superseded.Row().Int8(delivery).Time(cut->at);
    newest.Row().Int8(cut->newest).Int4(cut->skipped);
  }
  if (now == absl::InfinitePast()) return absl::OkStatus();
  Params supersede, save_skipped;
  std::move(superseded).MoveTo(supersede);
  std::move(newest).MoveTo(save_skipped);
  RETURN_IF_ERROR(session.Run(kSupersede, supersede));
  RETURN_IF_ERROR(session.Run(kSaveSkipped, save_skipped));
  return ReleaseFollowers(session, were_first, now).status();
}

}  // namespace tocsin::core::pg
