// What explains alerts, and their absence: the transaction's operations, and the read.
#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "common/status_macros.h"
#include "services/core/store/pg/alert_rows.h"
#include "services/core/store/pg/pg_store.h"
#include "services/core/store/pg/pg_transaction.h"
#include "services/core/store/pg/row_arrays.h"

namespace tocsin::core {
namespace pg {
namespace {

constexpr Statement kAddPassed = {
    "add_passed_deadlines",
    "INSERT INTO passed_deadline (monitor_id, deadline_at, plain_at, expected_at, judged_at, "
    "held_until, reason, failures, threshold, run_id, settings) "
    "SELECT n.monitor_id, n.deadline_at, n.plain_at, n.expected_at, n.judged_at, n.held_until, "
    "n.reason, n.failures, n.threshold, n.run_id, n.settings "
    "FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], "
    "$5::timestamptz[], $6::timestamptz[], $7::smallint[], $8::integer[], $9::integer[], "
    "$10::text[], $11::text[]) AS n (monitor_id, deadline_at, plain_at, expected_at, judged_at, "
    "held_until, reason, failures, threshold, run_id, settings)"};

constexpr Statement kTokenOwners = {
    "token_owners",
    "SELECT k.number, t.monitor_id FROM unnest($1::bytea[]) WITH ORDINALITY AS k (hash, number) "
    "JOIN push_token t ON t.hash = k.hash"};

// In one order, so that two that add to the same rows do not wait for each other in a circle.
constexpr Statement kAddRejected = {
    "add_rejected_pushes",
    "INSERT INTO rejected_push AS r (monitor_id, minute, reason, source, newest_at, count, detail) "
    "SELECT n.monitor_id, n.minute, n.reason, n.source, n.newest_at, n.count, n.detail "
    "FROM unnest($1::bigint[], $2::timestamptz[], $3::smallint[], $4::text[], "
    "$5::timestamptz[], $6::bigint[], $7::text[]) "
    "AS n (monitor_id, minute, reason, source, newest_at, count, detail) "
    "ORDER BY n.monitor_id, n.minute, n.reason, n.source "
    "ON CONFLICT (monitor_id, minute, reason, source) DO UPDATE SET "
    "newest_at = greatest(r.newest_at, excluded.newest_at), count = r.count + excluded.count, "
    "detail = excluded.detail"};

constexpr Statement kCutRejected = {
    "cut_rejected_pushes",
    "DELETE FROM rejected_push WHERE ctid = ANY (ARRAY(SELECT t.ctid "
    "FROM unnest($2::bigint[]) AS k (monitor_id) CROSS JOIN LATERAL (SELECT r.ctid "
    "FROM rejected_push r WHERE r.monitor_id = k.monitor_id "
    "ORDER BY r.minute DESC, r.reason DESC, r.source DESC OFFSET $1::integer) t))"};

}  // namespace

absl::Status PgTransaction::AddPassedDeadlines(absl::Span<const PassedDeadline> passed) {
  if (passed.empty()) return absl::OkStatus();
  using enum ElementType;
  RowArrays arrays({kInt8, kTimestamptz, kTimestamptz, kTimestamptz, kTimestamptz, kTimestamptz,
                    kInt2, kInt4, kInt4, kText, kText},
                   passed.size());
  for (const PassedDeadline& each : passed) {
    arrays.Row()
        .Int8(each.monitor)
        .Time(each.at)
        .Time(each.plain)
        .Time(each.expected_at)
        .Time(each.judged_at)
        .TimeOrNull(each.held_until)
        .Enum2(each.reason)
        .Int4(each.failures)
        .Int4(each.threshold)
        .Text(each.run_id)
        .Text(each.settings);
  }
  Params params;
  std::move(arrays).MoveTo(params);
  return session_.Run(kAddPassed, params).status();
}

absl::StatusOr<std::vector<std::optional<MonitorKey>>> PgTransaction::FindTokenOwners(
    absl::Span<const TokenHash> tokens) {
  BinaryArray hashes(ElementType::kBytea, tokens.size());
  for (const TokenHash& token : tokens) {
    hashes.AddBytes(std::string_view(reinterpret_cast<const char*>(token.data()), token.size()));
  }
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kTokenOwners, Params().Array(std::move(hashes))));
  std::vector<std::optional<MonitorKey>> owners(tokens.size());
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    const int64_t number = row.Int();
    owners.at(static_cast<size_t>(number - 1)) = row.Int();
  }
  RETURN_IF_ERROR(rows.status());
  return owners;
}

absl::Status PgTransaction::AddRejectedPushes(absl::Span<const RejectedPush> rejected) {
  if (rejected.empty()) return absl::OkStatus();
  // One statement cannot write a row twice.
  std::map<std::tuple<MonitorKey, absl::Time, Rejection, std::string>, RejectedPush> sums;
  std::set<MonitorKey> monitors;
  for (const RejectedPush& each : rejected) {
    monitors.insert(each.monitor);
    const auto [sum, added] =
        sums.try_emplace({each.monitor, each.minute, each.reason, each.source}, each);
    if (added) continue;
    sum->second.count += each.count;
    sum->second.newest = std::max(sum->second.newest, each.newest);
    sum->second.detail = each.detail;
  }
  using enum ElementType;
  RowArrays arrays({kInt8, kTimestamptz, kInt2, kText, kTimestamptz, kInt8, kText}, sums.size());
  for (const auto& [place, sum] : sums) {
    arrays.Row()
        .Int8(sum.monitor)
        .Time(sum.minute)
        .Enum2(sum.reason)
        .Text(sum.source)
        .Time(sum.newest)
        .Int8(sum.count)
        .Text(sum.detail);
  }
  Params params;
  std::move(arrays).MoveTo(params);
  RETURN_IF_ERROR(session_.Run(kAddRejected, params).status());
  return session_.Run(kCutRejected, Params().Int(kMaxRejectedRows).Keys8(monitors)).status();
}

}  // namespace pg

namespace {

constexpr pg::Statement kPastIncidents = {
    "past_incidents",
    "SELECT " TOCSIN_INCIDENT_COLUMNS
    " FROM incident i WHERE i.monitor_id = $1::bigint AND i.opened_at <= $3::timestamptz "
    "AND (i.closed_at IS NULL OR i.closed_at >= $2::timestamptz) "
    "ORDER BY i.incident_id DESC LIMIT $4::integer"};

constexpr pg::Statement kPastEvents = {
    "past_events",
    "SELECT " TOCSIN_EVENT_COLUMNS
    " FROM alert_event e WHERE e.monitor_id = $1::bigint AND e.detected_at >= $2::timestamptz "
    "AND e.detected_at <= $3::timestamptz ORDER BY e.sequence DESC LIMIT $4::integer"};

constexpr pg::Statement kPastDeliveries = {
    "past_deliveries",
    "SELECT p.id, c.id, m.id, " TOCSIN_DELIVERY_COLUMNS
    " FROM delivery d JOIN project p ON p.project_id = d.project_id "
    "JOIN channel c ON c.channel_id = d.channel_id JOIN monitor m ON m.monitor_id = d.monitor_id "
    "WHERE d.monitor_id = $1::bigint AND d.created_at >= $2::timestamptz "
    "AND d.created_at <= $3::timestamptz ORDER BY d.delivery_id DESC LIMIT $4::integer"};

constexpr pg::Statement kPastDeadlines = {
    "past_deadlines",
    "SELECT t.monitor_id, t.deadline_at, t.plain_at, t.expected_at, t.judged_at, t.held_until, "
    "t.reason, t.failures, t.threshold, t.run_id, t.settings FROM passed_deadline t "
    "WHERE t.monitor_id = $1::bigint AND t.deadline_at >= $2::timestamptz "
    "AND t.deadline_at <= $3::timestamptz "
    "ORDER BY t.deadline_at DESC, t.passed_deadline_id DESC LIMIT $4::integer"};

// Of reasons, those that open an incident: kMissed and kRunOverran.
#define TOCSIN_FAILS_AT_ONCE "reason IN (12, 21)"

constexpr pg::Statement kFindPassed = {
    "find_passed_deadline",
    "SELECT t.monitor_id, t.deadline_at, t.plain_at, t.expected_at, t.judged_at, t.held_until, "
    "t.reason, t.failures, t.threshold, t.run_id, t.settings FROM passed_deadline t "
    "WHERE t.monitor_id = $1::bigint AND t.deadline_at = $2::timestamptz "
    "AND t." TOCSIN_FAILS_AT_ONCE " ORDER BY t.passed_deadline_id DESC LIMIT 1"};

// Of the open incidents of monitors. Whoever releases what a mute held back asks for many.
constexpr pg::Statement kPassedOfOpen = {
    "passed_of_open",
    "SELECT t.monitor_id, t.deadline_at, t.plain_at, t.expected_at, t.judged_at, t.held_until, "
    "t.reason, t.failures, t.threshold, t.run_id, t.settings "
    "FROM unnest($1::bigint[]) AS k (monitor_id) CROSS JOIN LATERAL (SELECT i.opened_at "
    "FROM incident i WHERE i.monitor_id = k.monitor_id AND i.closed_at IS NULL LIMIT 1) i "
    "CROSS JOIN LATERAL (SELECT p.* FROM passed_deadline p WHERE p.monitor_id = k.monitor_id "
    "AND p.deadline_at = i.opened_at AND p." TOCSIN_FAILS_AT_ONCE
    " ORDER BY p.passed_deadline_id DESC LIMIT 1) t"};

constexpr pg::Statement kPastRejected = {
    "past_rejected",
    "SELECT t.monitor_id, t.minute, t.newest_at, t.reason, t.source, t.count, t.detail "
    "FROM rejected_push t WHERE t.monitor_id = $1::bigint AND t.newest_at >= $2::timestamptz "
    "AND t.newest_at <= $3::timestamptz "
    "ORDER BY t.minute DESC, t.reason DESC, t.source DESC LIMIT $4::integer"};

// A value that its row may spoil (see Row), or refuse.
template <typename Value>
absl::StatusOr<Value> Checked(Value value) {
  return value;
}
template <typename Value>
absl::StatusOr<Value> Checked(absl::StatusOr<Value> value) {
  return value;
}

template <typename Value, typename Reader>
absl::StatusOr<std::vector<Value>> ReadEach(absl::StatusOr<pg::Rows> rows, Reader read) {
  RETURN_IF_ERROR(rows.status());
  std::vector<Value> values;
  for (int i = 0; i < rows->size(); ++i) {
    pg::Row row = rows->at(i);
    ASSIGN_OR_RETURN(Value value, Checked<Value>(read(row)));
    values.push_back(std::move(value));
  }
  RETURN_IF_ERROR(rows->status());
  return values;
}

PassedDeadline ReadPassed(pg::Row& row) {
  PassedDeadline passed;
  passed.monitor = row.Int();
  passed.at = row.Time();
  passed.plain = row.Time();
  passed.expected_at = row.Time();
  passed.judged_at = row.Time();
  passed.held_until = row.MaybeTime();
  passed.reason = row.As<Reason>();
  passed.failures = row.Int32();
  passed.threshold = row.Int32();
  passed.run_id = row.Text();
  passed.settings = row.Text();
  return passed;
}

RejectedPush ReadRejected(pg::Row& row) {
  RejectedPush rejected;
  rejected.monitor = row.Int();
  rejected.minute = row.Time();
  rejected.newest = row.Time();
  rejected.reason = row.As<Rejection>();
  rejected.source = row.Text();
  rejected.count = row.Int();
  rejected.detail = row.Text();
  return rejected;
}

absl::StatusOr<DeliveryView> ReadDeliveryView(pg::Row& row) {
  DeliveryView view;
  view.project_id = row.Text();
  view.channel_id = row.Text();
  view.monitor_id = row.Text();
  ASSIGN_OR_RETURN(view.delivery, pg::ReadDelivery(row));
  return view;
}

}  // namespace

absl::StatusOr<MonitorPast> PgStore::ReadPast(const PastQuery& query) {
  const auto read = [&](const pg::Statement& statement) {
    return Read(statement,
                pg::Params().Int(query.monitor).Time(query.start).Time(query.end).Int(query.limit));
  };
  MonitorPast past;
  ASSIGN_OR_RETURN(past.incidents, ReadEach<Incident>(read(kPastIncidents), &pg::ReadIncident));
  ASSIGN_OR_RETURN(past.events, ReadEach<AlertEvent>(read(kPastEvents), &pg::ReadEvent));
  ASSIGN_OR_RETURN(past.deliveries,
                   ReadEach<DeliveryView>(read(kPastDeliveries), &ReadDeliveryView));
  ASSIGN_OR_RETURN(past.passed, ReadEach<PassedDeadline>(read(kPastDeadlines), &ReadPassed));
  ASSIGN_OR_RETURN(past.rejected, ReadEach<RejectedPush>(read(kPastRejected), &ReadRejected));
  return past;
}

namespace pg {

absl::StatusOr<std::optional<PassedDeadline>> PgTransaction::FindPassedDeadline(MonitorKey monitor,
                                                                                absl::Time at) {
  if (++passed_asked_ > kAskedOneByOne) {
    if (!passed_.has_value()) RETURN_IF_ERROR(ReadPassedOfOpen());
    const auto known = passed_->find(monitor);
    if (known != passed_->end() && known->second.at == at) return known->second;
  }
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kFindPassed, Params().Int(monitor).Time(at)));
  if (rows.empty()) return std::nullopt;
  Row row = rows.at(0);
  PassedDeadline passed = ReadPassed(row);
  RETURN_IF_ERROR(rows.status());
  return passed;
}

absl::Status PgTransaction::ReadPassedOfOpen() {
  const std::vector<MonitorKey> monitors(locked_.begin(), locked_.end());
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kPassedOfOpen, Params().Keys8(monitors)));
  passed_.emplace();
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    PassedDeadline passed = ReadPassed(row);
    passed_->insert_or_assign(passed.monitor, std::move(passed));
  }
  return rows.status();
}

}  // namespace pg

}  // namespace tocsin::core
