// Binds what is sealed to its channel, and follows the keys as they rotate.
#include "services/core/store/pg/channel_sealing.h"

#include <optional>
#include <utility>

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
    "SELECT c.channel_id, c.project_id, c.id, c.url, c.secrets, c.headers FROM channel c "
    "WHERE c.deleted_at IS NULL AND (substring(c.url FROM 2 FOR 4) <> $1::bytea "
    "OR substring(c.secrets FROM 2 FOR 4) <> $1::bytea OR (length(c.headers) > 0 "
    "AND substring(c.headers FROM 2 FOR 4) <> $1::bytea)) ORDER BY c.channel_id LIMIT 1000"};

constexpr Statement kSealAnew = {
    "seal_anew",
    "UPDATE channel c SET url = $5::bytea, secrets = $6::bytea, headers = $7::bytea "
    "WHERE c.channel_id = $1::bigint AND c.url = $2::bytea AND c.secrets = $3::bytea "
    "AND c.headers = $4::bytea RETURNING true"};

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

std::optional<std::string> OpenOrLog(const std::string& sealed, const Channel& channel,
                                     const char* what, const Sealer& sealer) {
  absl::StatusOr<std::string> plain = sealer.Open(sealed, SealContext(channel, what));
  if (plain.ok()) return *std::move(plain);
  LogError("channel_secret_unreadable",
           {{"channel", channel.id}, {"what", what}, {"status", plain.status()}});
  return std::nullopt;
}

// The host that they are for, and a line "name: value" each, which neither can break (see
// channel_headers.h). An older core that gives the channel another URL knows of no headers.
std::string ToLines(const Channel& channel) {
  return absl::StrCat(MaskUrl(channel.url), "\n",
                      absl::StrJoin(channel.headers, "\n", absl::PairFormatter(": ")));
}

// Into a channel whose URL is known. None of another host.
void ReadLines(const std::string& text, Channel& channel) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (lines.front() != MaskUrl(channel.url)) {
    LogWarning("channel_headers_of_another_host", {{"channel", channel.id}});
    return;
  }
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> header =
        absl::StrSplit(lines[i], absl::MaxSplits(": ", 1));
    channel.headers.insert(header);
  }
}

// The same sealed with the first key; what is empty stays so. Errors: Sealer::Open's.
absl::StatusOr<std::string> SealOneAnew(const std::string& sealed, const Channel& channel,
                                        const char* what, const Sealer& sealer) {
  if (sealed.empty()) return std::string();
  const std::string context = SealContext(channel, what);
  ASSIGN_OR_RETURN(const std::string plain, sealer.Open(sealed, context));
  return sealer.Seal(plain, context);
}

}  // namespace

std::string SealUrl(const Channel& channel, const Sealer& sealer) {
  return sealer.Seal(channel.url, SealContext(channel, "url"));
}

std::string SealSecrets(const Channel& channel, const Sealer& sealer) {
  return sealer.Seal(absl::StrJoin(channel.secrets, "\n"), SealContext(channel, "secrets"));
}

std::string SealHeaders(const Channel& channel, const Sealer& sealer) {
  if (channel.headers.empty()) return "";
  return sealer.Seal(ToLines(channel), SealContext(channel, "headers"));
}

void OpenSealed(const SealedColumns& sealed, const Sealer& sealer, Channel& channel) {
  channel.url = OpenOrLog(sealed.url, channel, "url", sealer).value_or("");
  channel.secrets = absl::StrSplit(
      OpenOrLog(sealed.secrets, channel, "secrets", sealer).value_or(""), '\n', absl::SkipEmpty());
  if (sealed.headers.empty()) return;
  const auto headers = OpenOrLog(sealed.headers, channel, "headers", sealer);
  channel.headers_closed = !headers.has_value() || channel.url.empty();
  if (!channel.headers_closed) ReadLines(*headers, channel);
}

absl::Status SealAnew(Session& session, const Sealer& sealer) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(kSealedByOthers, Params().Bytes(sealer.first_key_id())));
  int sealed = 0;
  for (int i = 0; i < rows.size(); ++i) {
    Row row = rows.at(i);
    const Channel channel = ReadIdentity(row);
    const std::string url = row.Bytes(), secrets = row.Bytes(), headers = row.Bytes();
    RETURN_IF_ERROR(rows.status());
    const auto new_url = SealOneAnew(url, channel, "url", sealer);
    const auto new_secrets = SealOneAnew(secrets, channel, "secrets", sealer);
    const auto new_headers = SealOneAnew(headers, channel, "headers", sealer);
    // Whoever reads the channel for an alert says so.
    if (!new_url.ok() || !new_secrets.ok() || !new_headers.ok()) continue;
    ASSIGN_OR_RETURN(Rows done, session.Run(kSealAnew, Params()
                                                           .Int(channel.key)
                                                           .Bytes(url)
                                                           .Bytes(secrets)
                                                           .Bytes(headers)
                                                           .Bytes(*new_url)
                                                           .Bytes(*new_secrets)
                                                           .Bytes(*new_headers)));
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
