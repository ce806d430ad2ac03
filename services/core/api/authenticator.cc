// Finds out whose key a call carries.
#include "services/core/api/authenticator.h"

#include <optional>
#include <utility>
#include <vector>

#include "common/sha256.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/names.h"

namespace tocsin::core {
namespace {

// So many are kept at once.
constexpr size_t kMaxKnown = 10'000;
constexpr size_t kMaxUnknown = 1'000;

}  // namespace

Authenticator::Authenticator(Store& store, const Clock& clock, const MonotonicClock& monotonic)
    : store_(store), clock_(clock), monotonic_(monotonic) {}

absl::StatusOr<Principal> Authenticator::Authenticate(std::string_view secret) {
  if (!IsKeySecret(secret)) return KeyUnknown();
  ASSIGN_OR_RETURN(Principal principal, Check(Sha256(secret)));
  NoteUse(principal.key, clock_.Now());
  return principal;
}

absl::StatusOr<Principal> Authenticator::Check(const SecretHash& hash) {
  ASSIGN_OR_RETURN(Entry entry, Find(hash));
  if (!entry.known || entry.ends_at == absl::InfinitePast()) return KeyUnknown();
  if (entry.ends_at <= clock_.Now()) return KeyExpired();
  return std::move(entry.principal);
}

absl::StatusOr<Authenticator::Entry> Authenticator::Find(const SecretHash& hash) {
  const absl::Duration now = monotonic_.Now();
  int64_t generation = 0;
  {
    absl::MutexLock lock(&mutex_);
    generation = generation_;
    for (const Entries* const entries : {&known_, &unknown_}) {
      const auto found = entries->find(hash);
      if (found != entries->end() && now - found->second.read_at < kLife) return found->second;
    }
  }
  ASSIGN_OR_RETURN(const std::optional<KeyMatch> match, store_.FindKeyBySecret(hash));
  Entry entry;
  entry.read_at = now;
  if (match.has_value()) {
    const ApiKey& key = match->key;
    entry.known = true;
    entry.principal = {.key = key.key,
                       .name = KeyName(key.project_id, key.id),
                       .project_id = key.project_id,
                       .role = key.role};
    entry.ends_at = match->EndsAt();
  }
  absl::MutexLock lock(&mutex_);
  if (match.has_value() && match->key.used_at.has_value()) {
    absl::Time& noted = noted_.try_emplace(match->key.key, absl::InfinitePast()).first->second;
    noted = std::max(noted, *match->key.used_at);
  }
  if (generation == generation_) Keep(hash, entry);
  return entry;
}

void Authenticator::Keep(const SecretHash& hash, const Entry& entry) {
  Entries& entries = entry.known ? known_ : unknown_;
  if (entries.size() >= (entry.known ? kMaxKnown : kMaxUnknown)) entries.clear();
  entries.insert_or_assign(hash, entry);
}

void Authenticator::Forget() {
  absl::MutexLock lock(&mutex_);
  ++generation_;
  known_.clear();
  unknown_.clear();
}

void Authenticator::NoteUse(ApiKeyKey key, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  absl::Time& noted = noted_.try_emplace(key, absl::InfinitePast()).first->second;
  if (now - noted < kUseNotedEvery) return;
  noted = now;
  uses_[key] = now;
}

absl::Status Authenticator::NoteUses() {
  std::vector<KeyUse> uses;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [key, at] : std::exchange(uses_, {})) uses.push_back({.key = key, .at = at});
    // Older ones say nothing any more: without this, keys that are gone would be kept.
    const absl::Time now = clock_.Now();
    std::erase_if(noted_, [&](const auto& entry) { return now - entry.second >= kUseNotedEvery; });
  }
  if (uses.empty()) return absl::OkStatus();
  return store_.Transact(TransactionClass::kAdmin,
                         [&](Transaction& transaction) { return transaction.NoteKeyUses(uses); });
}

}  // namespace tocsin::core
