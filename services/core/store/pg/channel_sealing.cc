// Binds what is sealed to its channel, and follows the keys as they rotate.
#include "services/core/store/pg/channel_sealing.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "services/core/store/pg/params.h"
#include "services/core/store/pg/rows.h"
#include "services/core/store/pg/statement.h"

namespace tocsin::core::pg {
namespace {

// The key's id follows the version's byte (sealer.h).
constexpr Statement kSealedByOthers = {
    "sealed_by_others",
    "SELECT c.channel_id, c.project_id, c.id, c.url, c.secrets FROM channel c "
    "WHERE c.deleted_at IS NULL AND (substring(c.url FROM 2 FOR 4) <> $1::bytea "
    "OR substring(c.secrets FROM 2 FOR 4) <> $1::bytea) ORDER BY c.channel_id LIMIT 1000"};

constexpr Statement kSealAnew = {
    "seal_anew",
    "UPDATE channel c SET url = $4::bytea, secrets = $5::bytea WHERE c.channel_id = $1::bigint "
    "AND c.url = $2::bytea AND c.secrets = $3::bytea RETURNING true"};

constexpr Statement kWithOldSecrets = {
    "with_old_secrets",
    "SELECT c.channel_id, c.project_id, c.id, c.secrets FROM channel c "
    "WHERE c.old_secrets_until <= $1::timestamptz LIMIT 1000"};

constexpr Statement kKeepNewestSecret = {
    "keep_newest_secret",
    "UPDATE channel c SET secrets = $3::bytea, old_secrets_until = NULL "
    "WHERE c.channel_id = $1::bigint AND c.secrets = $2::bytea"};

// The id of a channel never changes.
std::string SealContext(const Channel& channel, const char* what) {
  return absl::StrCat("channel/", channel.project, "/", channel.id, "/", what);
}

// What is sealed is bound to, and its key.
Channel ReadIdentity(Row& row) {
  Channel channel;
  channel.key = row.Int();
  channel.project = row.Int();
  channel.id = row.Text();
  return channel;
}

std::string OpenOrLog(const std::string& sealed, const Channel& channel, const char* what,
                      const Sealer& sealer) {
  absl::StatusOr<std::string> plain = sealer.Open(sealed, SealContext(channel, what));
  if (plain.ok()) return *std::move(plain);
  LogError("channel_secret_unreadable",
           {{"channel", channel.id}, {"what", what}, {"status", plain.status()}});
  return "";
}

}  // namespace

std::string SealUrl(const Channel& channel, const Sealer& sealer) {
  return sealer.Seal(channel.url, SealContext(channel, "url"));
}

std::string SealSecrets(const Channel& channel, const Sealer& sealer) {
  return sealer.Seal(absl::StrJoin(channel.secrets, "\n"), SealContext(channel, "secrets"));
}

void OpenSealed(const std::string& url, const std::string& secrets, const Sealer& sealer,
                Channel& channel) {
  channel.url = OpenOrLog(url, channel, "url", sealer);
  channel.secrets =
      absl::StrSplit(OpenOrLog(secrets, channel, "secrets", sealer), '\n', absl::SkipEmpty());
}

absl::Status SealAnew(Session& session, const Sealer& sealer) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(kSealedByOthers, Params().Bytes(sealer.first_key_id())));
  int sealed = 0;
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    const Channel channel = ReadIdentity(row);
    const std::string url = row.Bytes(), secrets = row.Bytes();
    RETURN_IF_ERROR(rows.status());
    const absl::StatusOr<std::string> plain_url = sealer.Open(url, SealContext(channel, "url"));
    const absl::StatusOr<std::string> plain_secrets =
        sealer.Open(secrets, SealContext(channel, "secrets"));
    // Whoever reads the channel for an alert says so.
    if (!plain_url.ok() || !plain_secrets.ok()) continue;
    ASSIGN_OR_RETURN(
        Rows done,
        session.Run(kSealAnew,
                    Params()
                        .Int(channel.key)
                        .Bytes(url)
                        .Bytes(secrets)
                        .Bytes(sealer.Seal(*plain_url, SealContext(channel, "url")))
                        .Bytes(sealer.Seal(*plain_secrets, SealContext(channel, "secrets")))));
    sealed += done.size();
  }
  if (sealed > 0) LogInfo("channels_sealed_anew", {{"channels", sealed}});
  return absl::OkStatus();
}

absl::Status ForgetOldSecrets(Session& session, const Sealer& sealer, absl::Time now) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(kWithOldSecrets, Params().Time(now)));
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    const Channel channel = ReadIdentity(row);
    const std::string sealed = row.Bytes();
    RETURN_IF_ERROR(rows.status());
    const absl::StatusOr<std::string> plain = sealer.Open(sealed, SealContext(channel, "secrets"));
    if (!plain.ok()) continue;
    const std::string newest = plain->substr(0, plain->find('\n'));
    RETURN_IF_ERROR(session
                        .Run(kKeepNewestSecret,
                             Params()
                                 .Int(channel.key)
                                 .Bytes(sealed)
                                 .Bytes(sealer.Seal(newest, SealContext(channel, "secrets"))))
                        .status());
  }
  return rows.status();
}

}  // namespace tocsin::core::pg
