// Creations that count once, however often they are asked for under one request id.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/domain/caller.h"
#include "services/core/domain/request_identity.h"
#include "services/core/store/sealer.h"
#include "services/core/store/transaction.h"

namespace tocsin::core {

// One request to create a resource, and the secret of what it makes. A request with an id is
// remembered for kRequestMemory, in the transaction of the creation: that makes one of two that
// come at the same time, and lets the later one be answered as the first. Secrets are kept only as
// hashes, or sealed, so that of such a request is not drawn but derived (Sealer::Derive) from
// actor, method, resource, time and id: it can be made again for the answer as long as the secret
// key file has the key.
//
// For one thread.
class RepeatableRequest {
 public:
  // `sealer` may be null: secrets are drawn then, and the answer to a repeated request has none.
  RepeatableRequest(const Caller& caller, const RequestIdentity& identity, std::string resource,
                    const Sealer* sealer, absl::Time now);

  // Whether its secrets are derived.
  bool derives() const { return !record_.secret_key_id.empty(); }

  // To be called first in the transaction. The earlier request that this one repeats; nullopt when
  // it is the first, or has no id. RequestIdReused when another request came with the id.
  absl::StatusOr<std::optional<RequestRecord>> Claim(Transaction& transaction) const;
  // To be called in the same transaction when the resource was made.
  absl::Status Made(Transaction& transaction, int64_t version) const;

  // Secrets of what this request makes; only when derives().
  std::string PushToken() const { return *PushTokenOf(record_); }
  std::string WebhookSecret() const { return *WebhookSecretOf(record_); }
  std::string ApiKeySecret() const { return *ApiKeySecretOf(record_); }
  // Secrets of what an earlier one made; nullopt when they cannot be made again.
  std::optional<std::string> PushTokenOf(const RequestRecord& earlier) const;
  std::optional<std::string> WebhookSecretOf(const RequestRecord& earlier) const;
  std::optional<std::string> ApiKeySecretOf(const RequestRecord& earlier) const;

 private:
  std::optional<std::string> Derive(const RequestRecord& record, const std::string& purpose) const;

  RequestRecord record_;  // without an id: not to be remembered
  const Sealer* const sealer_;
};

}  // namespace tocsin::core
