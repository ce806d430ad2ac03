// Records heartbeats that need a decision: one transaction that locks, decides and writes.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/clock.h"
#include "services/core/engine/push_recorder.h"
#include "services/core/engine/token_cache.h"
#include "services/core/store/store.h"

namespace tocsin::core {

struct FullPathOutcome {
  PushAnswer answer;
  bool blocked = false;               // another holds the monitor; nothing was written for it
  bool duplicate = false;             // the history has it already; nothing was written for it
  std::optional<CachedToken> cached;  // what the token resolves to, as of the lock
  absl::Time resolved_at;             // when it was resolved
  ApiKeyKey push_key = 0;             // the push key that it came with, if that is good
};

// The items come in order of arrival; those of one monitor are decided in order of their `at`.
// An item whose push id is in the history already is not written again. With LockMode::kSkip, items
// of monitors that others hold are blocked. On OK there is an outcome
// for each item, in the same order; on an error (those of Store::Transact) nothing was written,
// or, when it is UNKNOWN, that is in doubt.
absl::Status RecordOnFullPath(Store& store, TransactionClass klass, LockMode mode,
                              const Clock& clock, absl::Span<const PushItem* const> items,
                              std::vector<FullPathOutcome>& outcomes);

}  // namespace tocsin::core
