// Push tokens and push keys, brought under one roof.
#include "services/core/engine/push_access.h"

#include <string>
#include <utility>

#include "common/sha256.h"
#include "common/status_macros.h"

namespace tocsin::core {

TokenHash TargetToken(const PushTarget& target) {
  std::string both(reinterpret_cast<const char*>(target.key.data()), target.key.size());
  both += target.monitor_id;
  return Sha256(both);
}

std::optional<CachedToken> FindAccess(const TokenCache& cache, const PushItem& item,
                                      absl::Time now) {
  if (item.target == nullptr) return cache.Find(item.token, now);
  return cache.FindThroughKey(item.token, item.target->key, now);
}

void KeepAccess(TokenCache& cache, const PushItem& item, CachedToken entry, absl::Time now) {
  if (item.target == nullptr) return cache.Put(item.token, std::move(entry));
  cache.PutThroughKey(item.token, std::move(entry));
  cache.ConfirmKey(item.target->key, now);
}

absl::StatusOr<std::vector<std::optional<TokenMatch>>> ResolveItems(
    Transaction& transaction, absl::Span<const PushItem* const> items, absl::Time now) {
  std::vector<TokenHash> tokens;
  std::vector<const PushTarget*> targets;
  for (const PushItem* item : items) {
    if (item->target == nullptr) {
      tokens.push_back(item->token);
    } else {
      targets.push_back(item->target.get());
    }
  }
  std::vector<std::optional<TokenMatch>> of_tokens, of_targets;
  if (!tokens.empty()) {
    ASSIGN_OR_RETURN(of_tokens, transaction.ResolveTokens(tokens, now));
  }
  if (!targets.empty()) {
    ASSIGN_OR_RETURN(of_targets, transaction.ResolveTargets(targets, now));
  }
  std::vector<std::optional<TokenMatch>> matches;
  matches.reserve(items.size());
  auto next_token = of_tokens.begin(), next_target = of_targets.begin();
  for (const PushItem* item : items) {
    matches.push_back(std::move(item->target == nullptr ? *next_token++ : *next_target++));
  }
  return matches;
}

}  // namespace tocsin::core
