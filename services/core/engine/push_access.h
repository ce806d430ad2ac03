// What a push gives access to: one monitor by its push token, or one that its push key reaches.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/core/engine/push_recorder.h"
#include "services/core/engine/token_cache.h"
#include "services/core/store/transaction.h"

namespace tocsin::core {

// What stands for the key and the monitor together where a push token would stand for itself:
// SHA-256 of the key's hash followed by the monitor's id.
TokenHash TargetToken(const PushTarget& target);

// What the cache knows.
std::optional<CachedToken> FindAccess(const TokenCache& cache, const PushItem& item,
                                      absl::Time now);

// Keeps for the next pushes what the store knew at `now`.
void KeepAccess(TokenCache& cache, const PushItem& item, CachedToken entry, absl::Time now);

// What the store knows of a push.
struct ItemAccess {
  std::optional<TokenMatch> match;
  PushResult refusal = PushResult::kUnknownToken;  // without a match: what to answer
  ApiKeyKey push_key = 0;                          // the push key that it came with, if it is good
};

// In the order of `items`. At most two reads, whatever there is of each kind.
absl::StatusOr<std::vector<ItemAccess>> ResolveItems(Transaction& transaction,
                                                     absl::Span<const PushItem* const> items,
                                                     absl::Time now);

}  // namespace tocsin::core
