// The transaction's operations on channels and on single deliveries.
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "services/core/store/pg/alert_rows.h"
#include "services/core/store/pg/channel_sealing.h"
#include "services/core/store/pg/pg_transaction.h"

namespace tocsin::core::pg {
namespace {

constexpr Statement kChannels = {
    "channels", "SELECT " TOCSIN_CHANNEL_COLUMNS
                " FROM channel c JOIN project p ON p.project_id = c.project_id "
                "WHERE c.project_id = $1::integer AND c.deleted_at IS NULL ORDER BY c.id"};

constexpr Statement kLockChannel = {
    "lock_channel", "SELECT " TOCSIN_CHANNEL_COLUMNS
                    " FROM channel c JOIN project p ON p.project_id = c.project_id "
                    "WHERE c.project_id = $1::integer AND c.id = $2::text AND c.deleted_at IS NULL "
                    "FOR NO KEY UPDATE OF c"};

constexpr Statement kInsertChannel = {
    "insert_channel",
    "INSERT INTO channel (project_id, id, display_name, format, selector, is_default, "
    "fallback_channel, disabled_at, disable_reason, failing_since, last_error, told_at, "
    "told_failing_since, told_disabled_at, created_at, updated_at, version, group_limit, "
    "group_wait_us, url_set_at, old_secrets_until, omit_output, url, "
    "secrets, headers) "
    "VALUES ($1::integer, $2::text, $3::text, $4::smallint, $5::text, $6::boolean, $7::text, "
    "$8::timestamptz, $9::text, $10::timestamptz, $11::text, $12::timestamptz, $13::timestamptz, "
    "$14::timestamptz, $15::timestamptz, $16::timestamptz, $17::bigint, $18::integer, $19::bigint, "
    "$20::timestamptz, $21::timestamptz, $22::boolean, $23::bytea, $24::bytea, $25::bytea) "
    "ON CONFLICT (project_id, id) WHERE deleted_at IS NULL DO NOTHING RETURNING channel_id"};

// What waits for another URL is due at once (see ReleaseBacklogs).
constexpr Statement kSaveChannel = {
    "save_channel",
    "UPDATE channel SET display_name = $2::text, format = $3::smallint, selector = $4::text, "
    "is_default = $5::boolean, fallback_channel = $6::text, disabled_at = $7::timestamptz, "
    "disable_reason = $8::text, failing_since = $9::timestamptz, last_error = $10::text, "
    "told_at = $11::timestamptz, told_failing_since = $12::timestamptz, "
    "told_disabled_at = $13::timestamptz, created_at = $14::timestamptz, "
    "updated_at = $15::timestamptz, version = $16::bigint, group_limit = $17::integer, "
    "group_wait_us = $18::bigint, url_set_at = $19::timestamptz, "
    "old_secrets_until = $20::timestamptz, omit_output = $21::boolean, "
    "released_at = CASE WHEN url_set_at IS DISTINCT FROM $19::timestamptz THEN $15::timestamptz "
    "ELSE released_at END, "
    "headers = CASE WHEN $22::boolean THEN headers ELSE $25::bytea END, "
    "url = CASE length($23::bytea) WHEN 0 THEN url ELSE $23::bytea END, "
    "secrets = CASE length($24::bytea) WHEN 0 THEN secrets ELSE $24::bytea END "
    "WHERE channel_id = $1::bigint"};

constexpr Statement kDeleteChannel = {"delete_channel",
                                      "UPDATE channel SET deleted_at = $2::timestamptz "
                                      "WHERE channel_id = $1::bigint AND deleted_at IS NULL"};

constexpr Statement kEndDeliveries = {
    "end_deliveries",
    "UPDATE delivery SET state = 3, finished_at = $2::timestamptz, "
    "last_outcome = 'channel_deleted', leased_until = NULL, lease_id = NULL "
    "WHERE channel_id = $1::bigint AND state = 1"};

constexpr Statement kLockDelivery = {
    "lock_delivery",
    "SELECT " TOCSIN_DELIVERY_COLUMNS
    " FROM delivery d WHERE d.id = $2::text AND d.project_id = $1::integer FOR NO KEY UPDATE"};

constexpr Statement kSaveDelivery = {
    "save_delivery",
    "UPDATE delivery SET state = $2::smallint, redelivery = $3::boolean, attempts = $4::integer, "
    "skipped = $5::integer, last_http_status = $6::integer, next_attempt_at = $7::timestamptz, "
    "expires_at = $8::timestamptz, finished_at = $9::timestamptz, "
    "leased_until = $10::timestamptz, lease_id = nullif($11::text, ''), last_outcome = $12::text, "
    "gather = $13::boolean, told_by = nullif($14::text, '') "
    "WHERE delivery_id = $1::bigint"};

std::optional<absl::Time> NullWhenPast(absl::Time time) {
  if (time == absl::InfinitePast()) return std::nullopt;
  return time;
}

void AddChannelFields(const Channel& channel, Params& params) {
  const std::optional<ChannelTold>& told = channel.told;
  params.Text(channel.display_name)
      .Int(static_cast<int>(channel.format))
      .Text(channel.selector)
      .Bool(channel.is_default)
      .Text(channel.fallback_channel)
      .TimeOrNull(channel.disabled_at)
      .Text(channel.disable_reason)
      .TimeOrNull(channel.failing_since)
      .Text(channel.last_error)
      .TimeOrNull(told ? std::optional(told->at) : std::nullopt)
      .TimeOrNull(told ? told->failing_since : std::nullopt)
      .TimeOrNull(told ? told->disabled_at : std::nullopt)
      .Time(channel.created_at)
      .Time(channel.updated_at)
      .Int(channel.version)
      .Int(channel.group_limit)
      .Int(absl::ToInt64Microseconds(channel.group_wait))
      .TimeOrNull(channel.url_set_at)
      .TimeOrNull(channel.old_secrets_until)
      .Bool(channel.omit_output);
}

}  // namespace

absl::StatusOr<ChannelList> PgTransaction::Channels(ProjectKey project) {
  if (const auto known = channels_.find(project); known != channels_.end()) return known->second;
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kChannels, Params().Int(project)));
  auto channels = std::make_shared<std::vector<Channel>>();
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    channels->push_back(ReadChannel(row, sealer_));
  }
  RETURN_IF_ERROR(rows.status());
  return channels_[project] = std::move(channels);
}

absl::StatusOr<std::optional<Channel>> PgTransaction::LockChannel(ProjectKey project,
                                                                  const std::string& id) {
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kLockChannel, Params().Int(project).Text(id)));
  if (rows.empty()) return std::nullopt;
  Row row = rows.at(0);
  Channel channel = ReadChannel(row, sealer_);
  RETURN_IF_ERROR(rows.status());
  return channel;
}

absl::StatusOr<ChannelKey> PgTransaction::InsertChannel(const Channel& channel) {
  channels_.clear();
  Params params;
  params.Int(channel.project).Text(channel.id);
  AddChannelFields(channel, params);
  params.Bytes(SealUrl(channel, sealer_))
      .Bytes(SealSecrets(channel, sealer_))
      .Bytes(SealHeaders(channel, sealer_));
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kInsertChannel, params));
  if (rows.empty()) return absl::AlreadyExistsError("the project has a channel with that id");
  return rows.at(0).Int();
}

absl::Status PgTransaction::SaveChannel(const Channel& channel) {
  channels_.clear();
  Params params;
  params.Int(channel.key);
  AddChannelFields(channel, params);
  // What could not be opened when it was read (see ReadChannel) is kept as it is.
  params.Bool(channel.headers_closed)
      .Bytes(channel.url.empty() ? "" : SealUrl(channel, sealer_))
      .Bytes(channel.secrets.empty() ? "" : SealSecrets(channel, sealer_))
      .Bytes(SealHeaders(channel, sealer_));
  // An enabled channel may have work that is due.
  announcement_.deliveries = true;
  return session_.Run(kSaveChannel, params).status();
}

absl::Status PgTransaction::DeleteChannel(ChannelKey channel, absl::Time now) {
  channels_.clear();
  RETURN_IF_ERROR(Flush());
  RETURN_IF_ERROR(session_.Run(kDeleteChannel, Params().Int(channel).Time(now)));
  return session_.Run(kEndDeliveries, Params().Int(channel).Time(now)).status();
}

absl::StatusOr<std::optional<Delivery>> PgTransaction::LockDelivery(ProjectKey project,
                                                                    const std::string& id) {
  RETURN_IF_ERROR(Flush());
  ASSIGN_OR_RETURN(Rows rows, session_.Run(kLockDelivery, Params().Int(project).Text(id)));
  if (rows.empty()) return std::nullopt;
  Row row = rows.at(0);
  ASSIGN_OR_RETURN(Delivery delivery, ReadDelivery(row));
  RETURN_IF_ERROR(rows.status());
  return delivery;
}

absl::Status PgTransaction::SaveDelivery(const Delivery& delivery) {
  announcement_.deliveries = true;
  return session_
      .Run(kSaveDelivery, Params()
                              .Int(delivery.key)
                              .Int(static_cast<int>(delivery.state))
                              .Bool(delivery.redelivery)
                              .Int(delivery.attempts)
                              .Int(delivery.skipped)
                              .Int(delivery.last_http_status)
                              .Time(delivery.next_attempt_at)
                              .Time(delivery.expires_at)
                              .TimeOrNull(delivery.finished_at)
                              .TimeOrNull(NullWhenPast(delivery.leased_until))
                              .Text(delivery.lease_id)
                              .Text(delivery.last_outcome)
                              .Bool(delivery.may_gather)
                              .Text(delivery.told_by))
      .status();
}

}  // namespace tocsin::core::pg
