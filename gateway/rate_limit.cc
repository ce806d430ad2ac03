// Token buckets and who has one.
#include "gateway/rate_limit.h"

#include <algorithm>
#include <cstring>

namespace tocsin::gateway {
namespace {

// How long core's "unknown token" is believed, and only of a sender that is over its limit.
constexpr absl::Duration kBelieveRefusal = absl::Seconds(2);

// 64 bits of a SHA-256 tell tokens apart well enough for a limit.
uint64_t Prefix(const Sha256Digest& hash) {
  uint64_t key;
  std::memcpy(&key, hash.data(), sizeof(key));
  return key;
}

}  // namespace

std::optional<absl::Duration> Bucket::Take(const RateLimit& limit, absl::Duration now) {
  if (limit.per_second <= 0) return std::nullopt;
  const absl::Duration one = absl::Seconds(1) / limit.per_second;
  const absl::Duration full_at = std::max(full_at_, now) + one;
  const absl::Duration allowed = one * std::max(limit.burst, 1.0);
  // Half a microsecond, so that rounding never costs a caller its turn.
  if (full_at - now > allowed + absl::Nanoseconds(500)) return full_at - now - allowed;
  full_at_ = full_at;
  return std::nullopt;
}

TokenLimiter::TokenLimiter(const RateLimit& limit, size_t max_tokens)
    : limit_(limit), shards_{Shard(max_tokens / kShards), Shard(max_tokens / kShards),
                             Shard(max_tokens / kShards), Shard(max_tokens / kShards),
                             Shard(max_tokens / kShards), Shard(max_tokens / kShards),
                             Shard(max_tokens / kShards), Shard(max_tokens / kShards)} {}

TokenLimiter::Verdict TokenLimiter::Check(const Sha256Digest& token_hash, bool important,
                                          absl::Duration now) {
  if (limit_.per_second <= 0) return {};
  const uint64_t key = Prefix(token_hash);
  Shard& shard = ShardOf(key);
  absl::MutexLock lock(&shard.mutex);
  Buckets* const buckets = shard.tokens.Find(key);
  if (buckets == nullptr) return {};
  return {true, (important ? buckets->important : buckets->ordinary).Take(limit_, now)};
}

bool TokenLimiter::IsKnown(const Sha256Digest& token_hash) {
  const uint64_t key = Prefix(token_hash);
  Shard& shard = ShardOf(key);
  absl::MutexLock lock(&shard.mutex);
  return shard.tokens.Find(key) != nullptr;
}

void TokenLimiter::Accepted(const Sha256Digest& token_hash) {
  if (limit_.per_second <= 0) return;
  const uint64_t key = Prefix(token_hash);
  Shard& shard = ShardOf(key);
  absl::MutexLock lock(&shard.mutex);
  shard.tokens.FindOrMake(key);
}

UnknownTokenLimiter::UnknownTokenLimiter(const RateLimit& limit, size_t max_addresses)
    : limit_(limit), senders_(max_addresses) {}

http::IpAddress UnknownTokenLimiter::Key(const http::IpAddress& from) {
  return from.IsV4() ? from : from.Prefix(64);
}

std::optional<absl::Duration> UnknownTokenLimiter::Refused(const http::IpAddress& from,
                                                           const Sha256Digest& token_hash,
                                                           absl::Duration now) {
  if (limit_.per_second <= 0) return std::nullopt;
  absl::MutexLock lock(&mutex_);
  Sender& sender = *senders_.FindOrMake(Key(from));
  const auto wait = sender.bucket.Take(limit_, now);
  if (wait) {
    sender.over_until = now + *wait;
    sender.last_refused = Prefix(token_hash);
    sender.refused_at = now;
  }
  return wait;
}

std::optional<absl::Duration> UnknownTokenLimiter::Check(const http::IpAddress& from,
                                                         const Sha256Digest& token_hash,
                                                         absl::Duration now) {
  if (limit_.per_second <= 0) return std::nullopt;
  absl::MutexLock lock(&mutex_);
  const Sender* const sender = senders_.Find(Key(from));
  if (sender == nullptr || now >= sender->over_until) return std::nullopt;
  if (sender->last_refused != Prefix(token_hash)) return std::nullopt;
  if (now - sender->refused_at > kBelieveRefusal) return std::nullopt;
  return sender->over_until - now;
}

}  // namespace tocsin::gateway
