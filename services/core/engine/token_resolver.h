// Looks up the tokens of a group that the cache does not have.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "services/core/engine/key_uses.h"
#include "services/core/engine/push_group.h"
#include "services/core/engine/token_cache.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// Puts into `cache` what those tokens give access to at `now` that belong to `entries` which may
// take the fast path and which it does not have: one read for the whole group, a tenth of what the
// full path costs. Just after a start every token is unknown. Whether the cache learnt any: a token
// that nobody has, or a store that cannot be read, is left to the full path. Uses of push keys are
// noted in `uses`.
bool ResolveTokens(Store& store, TransactionClass klass, const std::vector<QueuedPush*>& entries,
                   absl::Time now, TokenCache& cache, KeyUses& uses);

}  // namespace tocsin::core
