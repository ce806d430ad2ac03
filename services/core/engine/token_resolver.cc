// Looks up the tokens of a group that the cache does not have.
#include "services/core/engine/token_resolver.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "common/status_macros.h"
#include "services/core/domain/names.h"
#include "services/core/engine/push_access.h"

namespace tocsin::core {

bool ResolveTokens(Store& store, TransactionClass klass, const std::vector<QueuedPush*>& entries,
                   absl::Time now, TokenCache& cache, KeyUses& uses) {
  absl::flat_hash_set<TokenHash> seen;
  std::vector<const PushItem*> unknown;
  for (const QueuedPush* entry : entries) {
    const PushItem& item = entry->item;
    if (!MayBeSteady(*entry) || FindAccess(cache, item, now)) continue;
    if (seen.insert(item.token).second) unknown.push_back(&item);
  }
  if (unknown.empty()) return false;
  std::vector<ItemAccess> accesses;
  const absl::Status read = store.Transact(klass, [&](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(accesses, ResolveItems(transaction, unknown, now));
    return absl::OkStatus();
  });
  if (!read.ok()) return false;
  bool learnt = false;
  for (size_t i = 0; i < unknown.size(); ++i) {
    const ItemAccess& access = accesses[i];
    if (access.push_key != 0) uses.Note(access.push_key, now);
    if (!access.match.has_value()) continue;
    learnt = true;
    const TokenMatch& match = *access.match;
    KeepAccess(cache, *unknown[i],
               {.monitor = match.monitor,
                .version = match.version,
                .expires_at = match.expires_at,
                .name = std::make_shared<const std::string>(
                    MonitorName(match.project_id, match.monitor_id)),
                .has_value_bounds = match.has_value_bounds},
               now);
  }
  return learnt;
}

}  // namespace tocsin::core
