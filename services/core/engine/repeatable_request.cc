// Creations that count once.
#include "services/core/engine/repeatable_request.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/random.h"
#include "common/status_macros.h"
#include "services/core/domain/api_key.h"
#include "services/core/domain/errors.h"

namespace tocsin::core {

RepeatableRequest::RepeatableRequest(const Caller& caller, const RequestIdentity& identity,
                                     std::string resource, const Sealer* sealer, absl::Time now)
    : sealer_(sealer) {
  record_.actor = caller.identity;
  record_.method = caller.method;
  record_.id = absl::AsciiStrToLower(identity.id);
  record_.fingerprint = identity.fingerprint;
  record_.resource = std::move(resource);
  record_.at = now;
  if (sealer != nullptr && !record_.id.empty()) record_.secret_key_id = sealer->first_key_id();
}

absl::StatusOr<std::optional<RequestRecord>> RepeatableRequest::Claim(
    Transaction& transaction) const {
  if (record_.id.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(std::optional<RequestRecord> earlier,
                   transaction.ClaimRequest(record_, record_.at - kRequestMemory));
  if (earlier.has_value() && earlier->fingerprint != record_.fingerprint) return RequestIdReused();
  return earlier;
}

absl::Status RepeatableRequest::Made(Transaction& transaction, int64_t version) const {
  if (record_.id.empty()) return absl::OkStatus();
  RequestRecord made = record_;
  made.version = version;
  return transaction.SaveRequest(made);
}

std::optional<std::string> RepeatableRequest::PushTokenOf(const RequestRecord& earlier) const {
  if (!Derive(earlier, "").has_value()) return std::nullopt;
  return TokenOf([&](int round) { return *Derive(earlier, absl::StrCat("push_token ", round)); });
}

std::optional<std::string> RepeatableRequest::WebhookSecretOf(const RequestRecord& earlier) const {
  const std::optional<std::string> key = Derive(earlier, "webhook_secret");
  if (!key.has_value()) return std::nullopt;
  return absl::StrCat("whsec_", absl::Base64Escape(*key));
}

std::optional<std::string> RepeatableRequest::ApiKeySecretOf(const RequestRecord& earlier) const {
  const std::optional<std::string> bytes = Derive(earlier, "api_key");
  if (!bytes.has_value()) return std::nullopt;
  return FormatSecret(*bytes);
}

std::optional<std::string> RepeatableRequest::Derive(const RequestRecord& record,
                                                     const std::string& purpose) const {
  if (sealer_ == nullptr || record.secret_key_id.empty()) return std::nullopt;
  // The time, so that a secret that was forgotten does not come back with the same request later.
  std::string context = absl::StrCat(absl::ToUnixMicros(record.at), ";");
  // Lengths, so that no two requests have the same context.
  for (const std::string* part :
       {&purpose, &record.actor, &record.method, &record.resource, &record.id}) {
    absl::StrAppend(&context, part->size(), ":", *part);
  }
  return sealer_->Derive(record.secret_key_id, context);
}

}  // namespace tocsin::core
