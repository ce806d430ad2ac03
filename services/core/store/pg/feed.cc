// The feed: alert events in the order in which their commits became visible.
#include "common/status_macros.h"
#include "services/core/store/pg/alert_rows.h"
#include "services/core/store/pg/pg_store.h"

namespace tocsin::core {
namespace {

// Keys are drawn before their transaction commits, so they are no order to read by: a reader would
// pass over one that commits late. Positions are given to what is committed, by one at a time.
constexpr pg::Statement kUnfed = {
    "unfed", "SELECT EXISTS (SELECT FROM alert_event e WHERE e.feed_position IS NULL)"};

constexpr pg::Statement kFeedLock = {"feed_lock",
                                     "SELECT pg_advisory_xact_lock(8390033978155740774)"};

constexpr pg::Statement kSequence = {
    "sequence_feed",
    "WITH next AS (SELECT e.event_id, row_number() OVER (ORDER BY e.event_id) AS number "
    "FROM (SELECT u.event_id FROM alert_event u WHERE u.feed_position IS NULL "
    "ORDER BY u.event_id LIMIT $1::integer) e), "
    "given AS (UPDATE alert_event e SET feed_position = f.position + next.number "
    "FROM next CROSS JOIN feed f WHERE e.event_id = next.event_id "
    "RETURNING e.feed_position), "
    "moved AS (UPDATE feed f SET position = newest.position FROM "
    "(SELECT max(given.feed_position) AS position FROM given) newest "
    "WHERE newest.position IS NOT NULL) "
    "SELECT count(*) FROM given"};

constexpr pg::Statement kReadFeed = {"read_feed",
                                     "SELECT e.feed_position, " TOCSIN_EVENT_COLUMNS
                                     " FROM alert_event e WHERE e.feed_position > $2::bigint "
                                     "AND e.feed_position <= $3::bigint "
                                     "AND ($1::integer = 0 OR e.project_id = $1::integer) "
                                     "ORDER BY e.feed_position LIMIT $4::integer"};

constexpr pg::Statement kReadFeedEnd = {"read_feed_end", "SELECT f.epoch, f.position FROM feed f"};

}  // namespace

absl::StatusOr<int> PgStore::SequenceFeed(int limit) {
  {
    ASSIGN_OR_RETURN(pg::SessionPool::Lease session, delivery_.Take());
    RETURN_IF_ERROR(session->Ready());
    ASSIGN_OR_RETURN(pg::Rows rows, session->Run(kUnfed));
    if (!rows.at(0).Bool()) return 0;
  }
  int sequenced = 0;
  RETURN_IF_ERROR(
      InTransaction(delivery_, [&](pg::Session& session) -> absl::StatusOr<std::string> {
        // A statement of its own: what follows sees all that was committed before the lock.
        RETURN_IF_ERROR(session.Run(kFeedLock));
        ASSIGN_OR_RETURN(pg::Rows rows, session.Run(kSequence, pg::Params().Int(limit)));
        sequenced = rows.at(0).Int32();
        RETURN_IF_ERROR(rows.status());
        return "";
      }));
  return sequenced;
}

absl::StatusOr<std::vector<FeedEntry>> PgStore::ReadFeed(ProjectKey project, int64_t after,
                                                         int64_t up_to, int limit) {
  ASSIGN_OR_RETURN(pg::Rows rows,
                   Read(kReadFeed, pg::Params().Int(project).Int(after).Int(up_to).Int(limit)));
  std::vector<FeedEntry> entries;
  for (int i = 0; i < rows.size(); ++i) {
    pg::Row row = rows.at(i);
    FeedEntry entry;
    entry.position = row.Int();
    ASSIGN_OR_RETURN(entry.event, pg::ReadEvent(row));
    entries.push_back(std::move(entry));
  }
  RETURN_IF_ERROR(rows.status());
  return entries;
}

absl::StatusOr<FeedEnd> PgStore::ReadFeedEnd() {
  ASSIGN_OR_RETURN(pg::Rows rows, Read(kReadFeedEnd, pg::Params()));
  pg::Row row = rows.at(0);
  FeedEnd end;
  end.epoch = row.Text();
  end.position = row.Int();
  RETURN_IF_ERROR(rows.status());
  return end;
}

}  // namespace tocsin::core
