// Finds out whose key a call carries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "services/core/domain/api_key.h"
#include "services/core/engine/key_uses.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// Who holds a key, as far as the API needs to know.
struct Principal {
  ApiKeyKey key = 0;
  std::string name;        // "projects/default/keys/ci"
  std::string project_id;  // kAnyProject: all projects
  Role role = Role::kViewer;
};

// Thread-safe. What it read is kept for kLife, so that a change made by another core is seen after
// that at the latest, and at once when somebody calls Forget.
//
// A secret is never compared: it is looked up by its SHA-256, of which an attacker can steer no
// part, so that the time of a look-up tells nothing of the secrets that exist.
class Authenticator {
 public:
  static constexpr absl::Duration kLife = absl::Seconds(5);

  // What it is given must outlive it.
  Authenticator(Store& store, const Clock& clock, const MonotonicClock& monotonic);

  // KeyUnknown, also for a key that was revoked; KeyExpired; UNAVAILABLE when the database is away
  // and the key was not seen lately. The use is noted, see NoteUses.
  absl::StatusOr<Principal> Authenticate(std::string_view secret);
  // The same by the secret's hash, and without noting a use.
  absl::StatusOr<Principal> Check(const SecretHash& hash);

  // What was read is read again. Cheap.
  void Forget();
  // Writes the uses since the last call: at most one a minute for each key. For a periodic task, so
  // that no call waits for it. Uses that cannot be written are dropped.
  absl::Status NoteUses();

 private:
  struct Entry {
    bool known = false;
    Principal principal;
    absl::Time ends_at;  // InfinitePast when it was revoked
    absl::Duration read_at;
  };
  using Entries = absl::flat_hash_map<SecretHash, Entry>;

  absl::StatusOr<Entry> Find(const SecretHash& hash);
  void Keep(const SecretHash& hash, const Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Store& store_;
  const Clock& clock_;
  const MonotonicClock& monotonic_;
  KeyUses uses_;
  absl::Mutex mutex_;
  // Counts calls of Forget: what was read before one is not kept after it.
  int64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
  // Apart, so that a flood of wrong keys drives out no right ones.
  Entries known_ ABSL_GUARDED_BY(mutex_);
  Entries unknown_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin::core
