// Looks up the tokens of a group that the cache does not have.
#include "services/core/engine/token_resolver.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "common/status_macros.h"
#include "services/core/domain/names.h"

namespace tocsin::core {

bool ResolveTokens(Store& store, TransactionClass klass, const std::vector<QueuedPush*>& entries,
                   absl::Time now, TokenCache& cache) {
  absl::flat_hash_set<TokenHash> unknown;
  for (const QueuedPush* entry : entries) {
    const TokenHash& token = entry->item.token;
    if (MayBeSteady(*entry) && !cache.Find(token, now)) unknown.insert(token);
  }
  if (unknown.empty()) return false;
  const std::vector<TokenHash> tokens(unknown.begin(), unknown.end());
  std::vector<std::optional<TokenMatch>> matches;
  const absl::Status read = store.Transact(klass, [&](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(matches, transaction.ResolveTokens(tokens, now));
    return absl::OkStatus();
  });
  if (!read.ok()) return false;
  bool learnt = false;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!matches[i].has_value()) continue;
    learnt = true;
    const TokenMatch& match = *matches[i];
    cache.Put(tokens[i], {.monitor = match.monitor,
                          .version = match.version,
                          .expires_at = match.expires_at,
                          .name = std::make_shared<const std::string>(
                              MonitorName(match.project_id, match.monitor_id))});
  }
  return learnt;
}

}  // namespace tocsin::core
