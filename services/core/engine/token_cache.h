// What push tokens were resolved to, so that a steady push needs no read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/domain/keys.h"

namespace tocsin::core {

inline constexpr absl::Duration kKeyTrust = absl::Seconds(5);

// A token as it was when it was resolved. The fast path verifies the version, never the reader.
struct CachedToken {
  MonitorKey monitor = 0;
  int64_t version = 0;                             // of the definition
  absl::Time expires_at = absl::InfiniteFuture();  // of the token
  std::shared_ptr<const std::string> name;         // "projects/default/monitors/backup"
  bool has_value_bounds = false;                   // whether a value may be a failure
};

// Thread-safe. When one of its two parts is full, any entry makes room: to lose one costs a single
// full path.
class TokenCache {
 public:
  explicit TokenCache(size_t limit) : limit_(limit) {}

  // Nothing for a token that has expired at `now`.
  std::optional<CachedToken> Find(const TokenHash& token, absl::Time now) const;
  // The same for what a push key gives access to: nothing either unless the key was confirmed less
  // than kKeyTrust ago. That a key was revoked is found out no later.
  std::optional<CachedToken> FindThroughKey(const TokenHash& token, const TokenHash& key,
                                            absl::Time now) const;
  // The store was asked at `now`, and the key may push.
  void ConfirmKey(const TokenHash& key, absl::Time now);
  // Keys may have changed: none of them is confirmed any more.
  void DoubtKeys();
  void Put(const TokenHash& token, CachedToken entry);
  // Apart from the tokens: a push token may be any bytes, also those whose hash stands for a key
  // and a monitor, and must not find what only the key gives access to.
  void PutThroughKey(const TokenHash& token, CachedToken entry);
  void Drop(const TokenHash& token);
  void Clear();
  size_t size() const;

 private:
  const size_t limit_;
  mutable absl::Mutex mutex_;
  // Nodes: a table of whole entries, half of it empty, would be the larger part of core's memory.
  absl::node_hash_map<TokenHash, CachedToken> entries_ ABSL_GUARDED_BY(mutex_);
  absl::node_hash_map<TokenHash, CachedToken> through_keys_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<TokenHash, absl::Time> confirmed_ ABSL_GUARDED_BY(mutex_);  // push keys
};

}  // namespace tocsin::core
