// Rate limits that protect the service, in bounded memory.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/sha256.h"
#include "gateway/http/ip_address.h"

namespace tocsin::gateway {

// `per_second` sustained, `burst` at once. A rate of 0 or less is no limit.
struct RateLimit {
  double per_second = 0;
  double burst = 1;
};

// A token bucket in eight bytes: the time at which it would be full again (GCRA). Times are on a
// monotonic clock and never go back.
class Bucket {
 public:
  // Takes one if there is one; otherwise says how long until there is.
  std::optional<absl::Duration> Take(const RateLimit& limit, absl::Duration now);

 private:
  absl::Duration full_at_ = -absl::InfiniteDuration();
};

// A map that forgets what was not used lately: two generations of at most half the bound each.
template <typename Key, typename Value>
class RecentMap {
 public:
  explicit RecentMap(size_t max_entries) : half_(max_entries / 2 + 1) {}

  // nullptr when absent. The pointer is good until the next call.
  Value* Find(const Key& key) {
    if (const auto it = young_.find(key); it != young_.end()) return &it->second;
    const auto it = old_.find(key);
    if (it == old_.end()) return nullptr;
    const Value value = it->second;
    old_.erase(it);
    return Insert(key, value);
  }
  Value* FindOrMake(const Key& key) {
    Value* const found = Find(key);
    return found != nullptr ? found : Insert(key, Value());
  }
  size_t size() const { return young_.size() + old_.size(); }

 private:
  Value* Insert(const Key& key, const Value& value) {
    if (young_.size() >= half_) {
      old_ = std::move(young_);
      young_.clear();
    }
    return &young_.try_emplace(key, value).first->second;
  }

  const size_t half_;
  absl::flat_hash_map<Key, Value> young_;
  absl::flat_hash_map<Key, Value> old_;
};

// The limit of pushes per token. A bucket exists only for a token that core has accepted, so that
// a stranger's guesses cannot push a valid one out. Failures, starts and exit statuses have a
// budget of their own: a burst of `up` never swallows a failure. Thread safe.
class TokenLimiter {
 public:
  TokenLimiter(const RateLimit& limit, size_t max_tokens);

  struct Verdict {
    bool known = false;                  // core has accepted the token
    std::optional<absl::Duration> wait;  // set: the push is one too many
  };
  Verdict Check(const Sha256Digest& token_hash, bool important, absl::Duration now);
  // Whether core has accepted it, as far as that is remembered. Takes nothing.
  bool IsKnown(const Sha256Digest& token_hash);
  // Core knows the token.
  void Accepted(const Sha256Digest& token_hash);

 private:
  struct Buckets {
    Bucket ordinary;
    Bucket important;
  };
  struct alignas(64) Shard {
    explicit Shard(size_t max) : tokens(max) {}
    absl::Mutex mutex;
    RecentMap<uint64_t, Buckets> tokens ABSL_GUARDED_BY(mutex);
  };
  static constexpr size_t kShards = 8;

  Shard& ShardOf(uint64_t key) { return shards_[key % kShards]; }

  const RateLimit limit_;
  std::array<Shard, kShards> shards_;
};

// The limit of unknown tokens per address (IPv6: per /64). It is charged only by core's "unknown
// token" and never keeps a push from being asked about, so that it cannot affect a valid token:
// beyond it the answer is 429 instead of 404. Only a token that core refused moments ago is not
// asked about again while its sender is over the limit. Thread safe.
class UnknownTokenLimiter {
 public:
  UnknownTokenLimiter(const RateLimit& limit, size_t max_addresses);

  // Core did not know the token. How long the sender should wait; nothing when it is within
  // the limit.
  std::optional<absl::Duration> Refused(const http::IpAddress& from, const Sha256Digest& token_hash,
                                        absl::Duration now);
  // Before core is asked: how long the sender should wait if this token was refused to it moments
  // ago and it is over the limit.
  std::optional<absl::Duration> Check(const http::IpAddress& from, const Sha256Digest& token_hash,
                                      absl::Duration now);

 private:
  struct Sender {
    Bucket bucket;
    absl::Duration over_until = -absl::InfiniteDuration();
    uint64_t last_refused = 0;
    absl::Duration refused_at;
  };
  static http::IpAddress Key(const http::IpAddress& from);

  const RateLimit limit_;
  absl::Mutex mutex_;
  RecentMap<http::IpAddress, Sender> senders_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin::gateway
