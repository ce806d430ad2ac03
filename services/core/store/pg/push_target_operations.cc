// What push keys reach.
#include <utility>

#include "common/status_macros.h"
#include "services/core/store/pg/monitor_rows.h"
#include "services/core/store/pg/pg_store.h"
#include "services/core/store/pg/pg_transaction.h"

namespace tocsin::core {
namespace pg {
namespace {

// Role 4 is that of push keys.
constexpr Statement kResolveTargets = {
    "resolve_targets",
    "SELECT k.number, a.api_key_id, coalesce((a.push->>'may_create')::boolean, false), "
    "m.deleted_at IS NOT NULL, m.monitor_id, m.version, "
    "least(t.expires_at, coalesce(a.expires_at, 'infinity')), p.id, m.id, "
    "coalesce(m.value_min, m.value_max) IS NOT NULL "
    "FROM unnest($2::bytea[], $3::text[]) WITH ORDINALITY AS k (hash, monitor, number) "
    "JOIN api_key_secret t ON t.hash = k.hash "
    "JOIN api_key a ON a.api_key_id = t.api_key_id "
    "JOIN project p ON p.project_id = a.project_id "
    "LEFT JOIN monitor m ON m.project_id = a.project_id AND m.id = k.monitor "
    "WHERE a.role = 4 AND a.revoked_at IS NULL AND t.expires_at > $1::timestamptz "
    "AND (a.expires_at IS NULL OR a.expires_at > $1::timestamptz)"};

TargetMatch ReadTargetMatch(Row& row) {
  TargetMatch match;
  match.key = row.Int();
  match.may_create = row.Bool();
  match.deleted = row.Bool();
  if (match.deleted || row.NextIsNull()) return match;
  TokenMatch& monitor = match.monitor.emplace();
  monitor.monitor = row.Int();
  monitor.version = row.Int();
  monitor.expires_at = row.Time();
  monitor.project_id = row.Text();
  monitor.monitor_id = row.Text();
  monitor.has_value_bounds = row.Bool();
  return match;
}

}  // namespace

absl::StatusOr<std::vector<TargetMatch>> PgTransaction::ResolveTargets(
    absl::Span<const PushTarget* const> targets, absl::Time now) {
  BinaryArray hashes(ElementType::kBytea, targets.size() * 3);
  BinaryArray monitors(ElementType::kText, targets.size() * 3);
  for (const PushTarget* target : targets) {
    hashes.AddBytes(HashBytes(target->key));
    monitors.AddBytes(target->monitor_id);
  }
  Params params;
  params.Time(now).Array(std::move(hashes)).Array(std::move(monitors));
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kResolveTargets, params));
  std::vector<TargetMatch> matches(targets.size());
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    const auto number = static_cast<size_t>(row.Int() - 1);
    matches.at(number) = ReadTargetMatch(row);
  }
  RETURN_IF_ERROR(rows.status());
  return matches;
}

}  // namespace pg

namespace {

constexpr pg::Statement kCountMonitors = {
    "count_monitors",
    "SELECT count(*) FROM (SELECT FROM monitor m WHERE m.project_id = $1::integer "
    "AND m.deleted_at IS NULL LIMIT $2::bigint) AS found"};

}  // namespace

absl::StatusOr<int64_t> PgStore::CountMonitors(ProjectKey project, int64_t up_to) {
  ASSIGN_OR_RETURN(pg::Rows rows, Read(kCountMonitors, pg::Params().Int(project).Int(up_to)));
  pg::Row row = rows.at(0);
  const int64_t count = row.Int();
  RETURN_IF_ERROR(rows.status());
  return count;
}

}  // namespace tocsin::core
