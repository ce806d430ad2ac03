// What became of deliveries that were sent, and what that says about their channels.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "common/status_macros.h"
#include "services/core/store/pg/delivery_gathering.h"
#include "services/core/store/pg/delivery_order.h"
#include "services/core/store/pg/pg_store.h"
#include "services/core/store/pg/pg_transaction.h"

namespace tocsin::core {
namespace {

constexpr pg::Statement kLockReported = {
    "lock_reported",
    "SELECT d.id, d.delivery_id, d.channel_id, d.state, d.attempts, d.next_attempt_at, "
    "d.expires_at, d.lease_id, d.type, d.project_id, d.leased_at, d.leased_until FROM delivery d "
    "WHERE d.id = ANY ($1::text[]) "
    "ORDER BY d.delivery_id FOR NO KEY UPDATE"};

constexpr pg::Statement kReadReportedChannels = {
    "read_reported_channels",
    "SELECT c.channel_id, c.disabled_at, c.disable_reason, c.failing_since, c.last_error, "
    "c.released_at, c.url_set_at FROM channel c WHERE c.channel_id = ANY ($1::bigint[])"};

constexpr pg::Statement kLockReportedChannels = {
    "lock_reported_channels",
    "SELECT c.channel_id, c.disabled_at, c.disable_reason, c.failing_since, c.last_error, "
    "c.released_at, c.url_set_at FROM channel c WHERE c.channel_id = ANY ($1::bigint[]) "
    "ORDER BY c.channel_id FOR NO KEY UPDATE"};

constexpr pg::Statement kSaveReported = {
    "save_reported",
    "WITH ended AS (DELETE FROM lease l WHERE l.delivery_id = ANY ($1::bigint[])) "
    "UPDATE delivery d SET state = u.state, attempts = u.attempts, "
    "next_attempt_at = u.next_attempt_at, finished_at = u.finished_at, "
    "last_outcome = u.outcome, last_http_status = u.http_status, "
    "last_answer = nullif(u.answer, ''), lease_id = NULL, leased_until = NULL "
    "FROM unnest($1::bigint[], $2::smallint[], $3::integer[], $4::timestamptz[], "
    "$5::timestamptz[], $6::text[], $7::integer[], $8::text[]) AS u (delivery_id, state, attempts, "
    "next_attempt_at, finished_at, outcome, http_status, answer) "
    "WHERE d.delivery_id = u.delivery_id"};

constexpr pg::Statement kSaveReportedChannels = {
    "save_reported_channels",
    "UPDATE channel c SET disabled_at = u.disabled_at, disable_reason = u.disable_reason, "
    "failing_since = u.failing_since, last_error = u.last_error, released_at = u.released_at "
    "FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::timestamptz[], $5::text[], "
    "$6::timestamptz[]) AS u (channel_id, disabled_at, disable_reason, failing_since, "
    "last_error, released_at) WHERE c.channel_id = u.channel_id"};

struct Reported {
  DeliveryKey key = 0;
  ChannelKey channel = 0;
  DeliveryState state = DeliveryState::kPending;
  int32_t attempts = 0;
  absl::Time next_attempt_at;
  absl::Time expires_at;
  std::string lease_id;
  bool is_digest = false;
  ProjectKey project = 0;
  absl::Time leased_at = absl::InfinitePast();
  absl::Time leased_until = absl::InfinitePast();
  absl::Time followers_wait_until = absl::InfinitePast();
  // By the reports.
  bool changed = false;
  std::string outcome;
  int32_t http_status = 0;
  std::string answer;
};

struct ChannelHealth {
  std::optional<absl::Time> disabled_at;
  std::string disable_reason;
  std::optional<absl::Time> failing_since;
  std::string last_error;
  std::optional<absl::Time> released_at;
  std::optional<absl::Time> url_set_at;
  bool changed = false;
};

using Deliveries = std::map<std::string, Reported>;
using Channels = std::map<ChannelKey, ChannelHealth>;

absl::StatusOr<Deliveries> LockReported(pg::Session& session,
                                        absl::Span<const DeliveryReport> reports) {
  pg::BinaryArray ids(pg::ElementType::kText, reports.size() * 3);
  for (const DeliveryReport& report : reports) ids.AddBytes(report.delivery_id);
  ASSIGN_OR_RETURN(pg::Rows rows, session.Run(kLockReported, pg::Params().Array(std::move(ids))));
  Deliveries deliveries;
  for (int i = 0; i < rows.size(); ++i) {
    pg::Row row = rows.at(i);
    Reported& reported = deliveries[row.Text()];
    reported.key = row.Int();
    reported.channel = row.Int();
    reported.state = row.As<DeliveryState>();
    reported.attempts = row.Int32();
    reported.next_attempt_at = row.Time();
    reported.expires_at = row.Time();
    reported.lease_id = row.Text();
    reported.is_digest = row.As<DeliveryType>() == DeliveryType::kDigest;
    reported.project = row.Int();
    reported.leased_at = row.TimeOr(absl::InfinitePast());
    reported.leased_until = row.TimeOr(absl::InfinitePast());
  }
  RETURN_IF_ERROR(rows.status());
  return deliveries;
}

absl::StatusOr<Channels> ReadHealth(pg::Session& session, const pg::Statement& statement,
                                    const Deliveries& deliveries) {
  std::set<ChannelKey> keys;
  for (const auto& [id, reported] : deliveries) keys.insert(reported.channel);
  ASSIGN_OR_RETURN(pg::Rows rows, session.Run(statement, pg::Params().Keys8(keys)));
  Channels channels;
  for (int i = 0; i < rows.size(); ++i) {
    pg::Row row = rows.at(i);
    ChannelHealth& health = channels[row.Int()];
    health.disabled_at = row.MaybeTime();
    health.disable_reason = row.Text();
    health.failing_since = row.MaybeTime();
    health.last_error = row.Text();
    health.released_at = row.MaybeTime();
    health.url_set_at = row.MaybeTime();
  }
  RETURN_IF_ERROR(rows.status());
  return channels;
}

// Whether the reports may change a channel; successes of healthy channels, which are most, do not.
bool MayChangeChannels(absl::Span<const DeliveryReport> reports, const Channels& channels) {
  return std::any_of(reports.begin(), reports.end(),
                     [](const DeliveryReport& report) {
                       return report.result != DeliveryResult::kDelivered &&
                              report.result != DeliveryResult::kDeferred;
                     }) ||
         std::any_of(channels.begin(), channels.end(),
                     [](const auto& entry) { return entry.second.failing_since.has_value(); });
}

// Whether the report may change the delivery: a success does without its lease.
bool Counts(const DeliveryReport& report, const Reported& delivery) {
  if (delivery.state != DeliveryState::kPending) return false;
  const bool held = !report.lease_id.empty() && delivery.lease_id == report.lease_id;
  return held || report.result == DeliveryResult::kDelivered;
}

// Until when another than the one that reports may be sending the delivery.
absl::Time HeldByAnother(const DeliveryReport& report, const Reported& delivery) {
  const bool held = !delivery.lease_id.empty() && delivery.lease_id != report.lease_id;
  return held ? delivery.leased_until : absl::InfinitePast();
}

void ApplyToDelivery(const DeliveryReport& report, absl::Time now, Reported& delivery) {
  delivery.changed = true;
  delivery.lease_id.clear();
  delivery.outcome = report.outcome;
  delivery.http_status = report.http_status;
  delivery.answer = report.answer;
  switch (report.result) {
    case DeliveryResult::kDelivered:
      delivery.state = DeliveryState::kDelivered;
      return;
    case DeliveryResult::kGone:
    case DeliveryResult::kDead:
      delivery.state = DeliveryState::kDead;
      return;
    case DeliveryResult::kDeferred:
      delivery.attempts = std::max(delivery.attempts - 1, 0);
      [[fallthrough]];
    case DeliveryResult::kRetry:
      delivery.next_attempt_at = now + report.retry_after;
      if (delivery.next_attempt_at > delivery.expires_at) delivery.state = DeliveryState::kDead;
      return;
  }
}

void ApplyToChannel(const DeliveryReport& report, absl::Time now, ChannelKey key,
                    ChannelHealth& channel, ReportEffects& effects) {
  if (report.result == DeliveryResult::kDeferred) return;  // nothing was tried
  if (report.result == DeliveryResult::kDelivered) {
    if (!channel.failing_since) return;
    channel.failing_since.reset();
    channel.released_at = now;
    channel.changed = true;
    effects.recovered.push_back(key);
    return;
  }
  channel.changed = true;
  channel.last_error = report.outcome;
  if (!channel.failing_since) channel.failing_since = now;
  if (report.result == DeliveryResult::kGone && !channel.disabled_at) {
    channel.disabled_at = now;
    channel.disable_reason = report.outcome;
    effects.disabled.push_back(key);
  }
}

absl::Status SaveDeliveries(pg::Session& session, const Deliveries& deliveries, absl::Time now) {
  pg::BinaryArray key(pg::ElementType::kInt8), state(pg::ElementType::kInt2),
      attempts(pg::ElementType::kInt4), next_attempt_at(pg::ElementType::kTimestamptz),
      finished_at(pg::ElementType::kTimestamptz), outcome(pg::ElementType::kText),
      http_status(pg::ElementType::kInt4), answer(pg::ElementType::kText);
  for (const auto& [id, delivery] : deliveries) {
    if (!delivery.changed) continue;
    key.AddInt8(delivery.key);
    state.AddInt2(static_cast<int16_t>(delivery.state));
    attempts.AddInt4(delivery.attempts);
    next_attempt_at.AddTime(delivery.next_attempt_at);
    if (delivery.state == DeliveryState::kPending) {
      finished_at.AddNull();
    } else {
      finished_at.AddTime(now);
    }
    outcome.AddBytes(delivery.outcome);
    http_status.AddInt4(delivery.http_status);
    answer.AddBytes(delivery.answer);
  }
  if (key.size() == 0) return absl::OkStatus();
  pg::Params params;
  for (pg::BinaryArray* array :
       {&key, &state, &attempts, &next_attempt_at, &finished_at, &outcome, &http_status, &answer}) {
    params.Array(std::move(*array));
  }
  return session.Run(kSaveReported, params).status();
}

absl::Status SaveChannels(pg::Session& session, const Channels& channels) {
  pg::BinaryArray key(pg::ElementType::kInt8), disabled_at(pg::ElementType::kTimestamptz),
      disable_reason(pg::ElementType::kText), failing_since(pg::ElementType::kTimestamptz),
      last_error(pg::ElementType::kText), released_at(pg::ElementType::kTimestamptz);
  for (const auto& [channel_key, channel] : channels) {
    if (!channel.changed) continue;
    key.AddInt8(channel_key);
    disabled_at.AddTimeOrNull(channel.disabled_at);
    disable_reason.AddBytes(channel.disable_reason);
    failing_since.AddTimeOrNull(channel.failing_since);
    last_error.AddBytes(channel.last_error);
    released_at.AddTimeOrNull(channel.released_at);
  }
  if (key.size() == 0) return absl::OkStatus();
  pg::Params params;
  for (pg::BinaryArray* array :
       {&key, &disabled_at, &disable_reason, &failing_since, &last_error, &released_at}) {
    params.Array(std::move(*array));
  }
  return session.Run(kSaveReportedChannels, params).status();
}

template <typename Key>
void Deduplicate(std::vector<Key>& keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
}

// Returns the news to announce.
absl::StatusOr<std::string> Apply(pg::Session& session, absl::Span<const DeliveryReport> reports,
                                  absl::Time now, ReportEffects& effects) {
  effects = {};
  ASSIGN_OR_RETURN(Deliveries deliveries, LockReported(session, reports));
  ASSIGN_OR_RETURN(Channels channels, ReadHealth(session, kReadReportedChannels, deliveries));
  if (MayChangeChannels(reports, channels)) {
    ASSIGN_OR_RETURN(channels, ReadHealth(session, kLockReportedChannels, deliveries));
  }
  for (const DeliveryReport& report : reports) {
    const auto found = deliveries.find(report.delivery_id);
    if (found == deliveries.end()) continue;
    Reported& delivery = found->second;
    if (!Counts(report, delivery)) continue;
    delivery.followers_wait_until = HeldByAnother(report, delivery);
    ChannelHealth& channel = channels[delivery.channel];
    if (channel.url_set_at.has_value() && delivery.leased_at < *channel.url_set_at) {
      ApplyToDelivery(OfAnotherUrl(report), now, delivery);
    } else {
      ApplyToDelivery(report, now, delivery);
      ApplyToChannel(report, now, delivery.channel, channel, effects);
    }
    if (delivery.state != DeliveryState::kDead) continue;
    effects.with_dead.push_back(delivery.channel);
    effects.projects.push_back(delivery.project);
  }
  RETURN_IF_ERROR(SaveDeliveries(session, deliveries, now));
  RETURN_IF_ERROR(SaveChannels(session, channels));
  std::vector<DeliveryKey> finished, put_off;
  for (const auto& [id, delivery] : deliveries) {
    if (!delivery.changed) continue;
    const bool is_pending = delivery.state == DeliveryState::kPending;
    const bool is_held = delivery.followers_wait_until > now &&
                         delivery.followers_wait_until < absl::InfiniteFuture();
    std::vector<DeliveryKey> held;
    std::vector<DeliveryKey>& keys = is_pending ? put_off : is_held ? held : finished;
    keys.push_back(delivery.key);
    if (delivery.is_digest && !is_pending) {
      RETURN_IF_ERROR(pg::FollowDigest(session, delivery.key, keys));
    }
    RETURN_IF_ERROR(pg::HoldFollowers(session, held, delivery.followers_wait_until));
  }
  RETURN_IF_ERROR(pg::PutOffFollowers(session, put_off));
  ASSIGN_OR_RETURN(const int64_t released, pg::ReleaseFollowers(session, finished, now));
  if (!effects.recovered.empty()) RETURN_IF_ERROR(pg::ReleaseBacklogs(session, now));
  Deduplicate(effects.disabled);
  Deduplicate(effects.recovered);
  Deduplicate(effects.with_dead);
  Deduplicate(effects.projects);
  const pg::Announcement announcement = {.deliveries = released > 0 || !effects.recovered.empty()};
  return announcement.Encode();
}

}  // namespace

absl::StatusOr<ReportEffects> PgStore::ApplyReports(absl::Span<const DeliveryReport> reports,
                                                    absl::Time now) {
  ReportEffects effects;
  if (reports.empty()) return effects;
  RETURN_IF_ERROR(InTransaction(
      delivery_, [&](pg::Session& session) { return Apply(session, reports, now, effects); }));
  return effects;
}

}  // namespace tocsin::core
