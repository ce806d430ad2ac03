// What push tokens were resolved to, so that a steady push needs no read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/node_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/domain/keys.h"

namespace tocsin::core {

// A token as it was when it was resolved. The fast path verifies the version, never the reader.
struct CachedToken {
  MonitorKey monitor = 0;
  int64_t version = 0;                             // of the definition
  absl::Time expires_at = absl::InfiniteFuture();  // of the token
  std::shared_ptr<const std::string> name;         // "projects/default/monitors/backup"
};

// Thread-safe. When it is full, any entry makes room: to lose one costs a single full path.
class TokenCache {
 public:
  explicit TokenCache(size_t limit) : limit_(limit) {}

  // Nothing for a token that has expired at `now`.
  std::optional<CachedToken> Find(const TokenHash& token, absl::Time now) const;
  void Put(const TokenHash& token, CachedToken entry);
  void Drop(const TokenHash& token);
  void Clear();
  size_t size() const;

 private:
  const size_t limit_;
  mutable absl::Mutex mutex_;
  // Nodes: a table of whole entries, half of it empty, would be the larger part of core's memory.
  absl::node_hash_map<TokenHash, CachedToken> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin::core
