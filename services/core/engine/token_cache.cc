// A bounded map of resolved tokens.
#include "services/core/engine/token_cache.h"

#include <utility>

namespace tocsin::core {
namespace {

// Far more than there are push keys in use within a few seconds.
constexpr size_t kMaxConfirmedKeys = 10'000;

}  // namespace

std::optional<CachedToken> TokenCache::Find(const TokenHash& token, absl::Time now) const {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(token);
  if (found == entries_.end() || now >= found->second.expires_at) return std::nullopt;
  return found->second;
}

std::optional<CachedToken> TokenCache::FindThroughKey(const TokenHash& token, const TokenHash& key,
                                                      absl::Time now) const {
  {
    absl::MutexLock lock(&mutex_);
    const auto confirmed = confirmed_.find(key);
    if (confirmed == confirmed_.end() || now - confirmed->second >= kKeyTrust) return std::nullopt;
  }
  return Find(token, now);
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
  if (limit_ == 0) return;
  if (entries_.size() >= limit_ && !entries_.contains(token)) entries_.erase(entries_.begin());
  entries_.insert_or_assign(token, std::move(entry));
}

void TokenCache::Drop(const TokenHash& token) {
  absl::MutexLock lock(&mutex_);
  entries_.erase(token);
}

void TokenCache::Clear() {
  absl::MutexLock lock(&mutex_);
  entries_.clear();
  confirmed_.clear();
}

size_t TokenCache::size() const {
  absl::MutexLock lock(&mutex_);
  return entries_.size();
}

}  // namespace tocsin::core
