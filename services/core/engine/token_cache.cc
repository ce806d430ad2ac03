// A bounded map of resolved tokens.
#include "services/core/engine/token_cache.h"

#include <utility>

namespace tocsin::core {
namespace {

// Far more than there are push keys in use within a few seconds.
constexpr size_t kMaxConfirmedKeys = 10'000;

using Entries = absl::node_hash_map<TokenHash, CachedToken>;

std::optional<CachedToken> FindIn(const Entries& entries, const TokenHash& token, absl::Time now) {
  const auto found = entries.find(token);
  if (found == entries.end() || now >= found->second.expires_at) return std::nullopt;
  return found->second;
}

void PutIn(Entries& entries, size_t limit, const TokenHash& token, CachedToken entry) {
  if (limit == 0) return;
  if (entries.size() >= limit && !entries.contains(token)) entries.erase(entries.begin());
  entries.insert_or_assign(token, std::move(entry));
}

}  // namespace

std::optional<CachedToken> TokenCache::Find(const TokenHash& token, absl::Time now) const {
  absl::MutexLock lock(&mutex_);
  return FindIn(entries_, token, now);
}

std::optional<CachedToken> TokenCache::FindThroughKey(const TokenHash& token, const TokenHash& key,
                                                      absl::Time now) const {
  absl::MutexLock lock(&mutex_);
  const auto confirmed = confirmed_.find(key);
  if (confirmed == confirmed_.end() || now - confirmed->second >= kKeyTrust) return std::nullopt;
  return FindIn(through_keys_, token, now);
}

void TokenCache::ConfirmKey(const TokenHash& key, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  if (confirmed_.size() >= kMaxConfirmedKeys && !confirmed_.contains(key)) confirmed_.clear();
  confirmed_[key] = now;
}

void TokenCache::DoubtKeys() {
  absl::MutexLock lock(&mutex_);
  confirmed_.clear();
}

void TokenCache::Put(const TokenHash& token, CachedToken entry) {
  absl::MutexLock lock(&mutex_);
  PutIn(entries_, limit_, token, std::move(entry));
}

void TokenCache::PutThroughKey(const TokenHash& token, CachedToken entry) {
  absl::MutexLock lock(&mutex_);
  PutIn(through_keys_, limit_, token, std::move(entry));
}

void TokenCache::Drop(const TokenHash& token) {
  absl::MutexLock lock(&mutex_);
  entries_.erase(token);
  through_keys_.erase(token);
}

void TokenCache::Clear() {
  absl::MutexLock lock(&mutex_);
  entries_.clear();
  through_keys_.clear();
  confirmed_.clear();
}

size_t TokenCache::size() const {
  absl::MutexLock lock(&mutex_);
  return entries_.size() + through_keys_.size();
}

}  // namespace tocsin::core
