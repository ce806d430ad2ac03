// When keys were last used.
#include "services/core/engine/key_uses.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tocsin::core {

void KeyUses::Note(ApiKeyKey key, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  absl::Time& noted = noted_.try_emplace(key, absl::InfinitePast()).first->second;
  if (now - noted < kNotedEvery) return;
  noted = now;
  uses_[key] = now;
}

void KeyUses::Learn(ApiKeyKey key, absl::Time at) {
  absl::MutexLock lock(&mutex_);
  absl::Time& noted = noted_.try_emplace(key, absl::InfinitePast()).first->second;
  noted = std::max(noted, at);
}

absl::Status KeyUses::Write(Store& store, absl::Time now) {
  std::vector<KeyUse> uses;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [key, at] : std::exchange(uses_, {})) uses.push_back({.key = key, .at = at});
    // Older ones say nothing any more: without this, keys that are gone would be kept.
    std::erase_if(noted_, [&](const auto& entry) { return now - entry.second >= kNotedEvery; });
  }
  if (uses.empty()) return absl::OkStatus();
  return store.Transact(TransactionClass::kAdmin,
                        [&](Transaction& transaction) { return transaction.NoteKeyUses(uses); });
}

}  // namespace tocsin::core
