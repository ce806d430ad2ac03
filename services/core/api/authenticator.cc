// Finds out whose key a call carries.
#include "services/core/api/authenticator.h"

#include <optional>
#include <utility>

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
  uses_.Note(principal.key, clock_.Now());
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
  if (match.has_value() && match->key.used_at.has_value()) {
    uses_.Learn(match->key.key, *match->key.used_at);
  }
  absl::MutexLock lock(&mutex_);
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

absl::Status Authenticator::NoteUses() { return uses_.Write(store_, clock_.Now()); }

}  // namespace tocsin::core
