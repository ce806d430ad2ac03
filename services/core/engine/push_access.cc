// Push tokens and push keys, brought under one roof.
#include "services/core/engine/push_access.h"

#include <string>
#include <utility>

#include "common/sha256.h"
#include "common/status_macros.h"

namespace tocsin::core {
namespace {

// What is answered when there is no monitor. Only a key that may push is told more than that.
PushResult RefusalOf(const PushItem& item, const TargetMatch& target) {
  if (item.creation == nullptr || target.key == 0) return PushResult::kUnknownToken;
  if (target.deleted) return PushResult::kDeleted;
  return target.may_create ? PushResult::kMissing : PushResult::kMayNotCreate;
}

}  // namespace

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

absl::StatusOr<std::vector<ItemAccess>> ResolveItems(Transaction& transaction,
                                                     absl::Span<const PushItem* const> items,
                                                     absl::Time now) {
  std::vector<TokenHash> tokens;
  std::vector<const PushTarget*> targets;
  for (const PushItem* item : items) {
    if (item->target == nullptr) {
      tokens.push_back(item->token);
    } else {
      targets.push_back(item->target.get());
    }
  }
  std::vector<std::optional<TokenMatch>> of_tokens;
  std::vector<TargetMatch> of_targets;
  if (!tokens.empty()) {
    ASSIGN_OR_RETURN(of_tokens, transaction.ResolveTokens(tokens, now));
  }
  if (!targets.empty()) {
    ASSIGN_OR_RETURN(of_targets, transaction.ResolveTargets(targets, now));
  }
  std::vector<ItemAccess> accesses;
  accesses.reserve(items.size());
  auto next_token = of_tokens.begin();
  auto next_target = of_targets.begin();
  for (const PushItem* item : items) {
    ItemAccess& access = accesses.emplace_back();
    if (item->target == nullptr) {
      access.match = std::move(*next_token++);
      continue;
    }
    TargetMatch& target = *next_target++;
    access.push_key = target.key;
    access.refusal = RefusalOf(*item, target);
    access.match = std::move(target.monitor);
  }
  return accesses;
}

}  // namespace tocsin::core
