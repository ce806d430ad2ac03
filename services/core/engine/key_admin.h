// What people do with keys: create, read, change, revoke, rotate.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "services/core/domain/api_key.h"
#include "services/core/domain/caller.h"
#include "services/core/domain/names.h"
#include "services/core/domain/request_identity.h"
#include "services/core/store/sealer.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// Changes with every version of the key; opaque to users.
std::string EtagOf(const ApiKey& key);

struct CreatedKey {
  ApiKey key;
  // Shown this once; kept only as a hash. Empty with validate_only, and when a repeated request
  // cannot be given it again.
  std::string secret;
};

struct RotatedKey {
  ApiKey key;
  std::string secret;  // shown this once; kept only as a hash
  absl::Time old_secret_expires_at;
};

// Thread-safe. What changes is told to the audit log, in the same transaction. Errors as
// MonitorAdmin. Whether the caller may is for the API to know: it gives names and projects that the
// caller's own key gives access to. With `validate_only` a method checks all that can be checked,
// writes nothing, and returns the key as it would be.
class KeyAdmin {
 public:
  // Draws a new secret; a test may draw known ones.
  using SecretSource = std::function<std::string()>;

  // `store` and `clock` must outlive it, and so must `sealer`, from whose key the secrets of
  // requests that may be repeated are derived (see RepeatableRequest); null: such secrets are drawn
  // too.
  KeyAdmin(Store& store, const Clock& clock, const Sealer* sealer = nullptr);
  KeyAdmin(Store& store, const Clock& clock, SecretSource secrets, const Sealer* sealer = nullptr);

  // Of `key`, project_id (kAnyProject for a key of all projects) and id say where; key, prefix,
  // version and times are ignored. Faults name fields below "key", and "key_id". KeyAlreadyExists
  // when the id is taken by a key that is not revoked. A request that repeats an earlier one (see
  // RequestIdentity) makes nothing and is answered as that one was.
  absl::StatusOr<CreatedKey> Create(const Caller& caller, ApiKey key, bool validate_only,
                                    const RequestIdentity& identity = {});
  // A key that was revoked is found until another takes its id.
  absl::StatusOr<ApiKey> Get(const ResourceName& name);
  // In order; kAnyProject: every key. At most `limit`.
  absl::StatusOr<std::vector<ApiKey>> List(const std::string& project_id, const KeyPlace& after,
                                           int limit, bool show_revoked);
  // Applies `edit`, which may be called several times and must not touch identity, role, prefix or
  // times but expires_at. An `etag` that is not empty must be that of the key: StaleEtag.
  // KeyIsRevoked for one that is.
  absl::StatusOr<ApiKey> Update(const Caller& caller, const ResourceName& name,
                                std::string_view etag,
                                absl::FunctionRef<absl::Status(ApiKey&)> edit, bool validate_only);
  // At once and for good. Revoking twice is no error.
  absl::StatusOr<ApiKey> Revoke(const Caller& caller, const ResourceName& name,
                                std::string_view etag);
  // The older secrets work until now + overlap (0 to 30 days; those that end earlier still do).
  absl::StatusOr<RotatedKey> Rotate(const Caller& caller, const ResourceName& name,
                                    absl::Duration overlap);
  // Makes `secret` the one secret of the key of all projects with that id and role, which is made
  // when there is none. Nothing is written when it is so already. FAILED_PRECONDITION when the
  // secret is that of another key, or of one that was revoked: what was taken away is not given
  // back by a restart.
  absl::Status Install(const Caller& caller, const std::string& id, Role role,
                       const std::string& secret);

 private:
  // Locks the key, lets `change` change it, and reads it back. `again`: an earlier run may have
  // been committed.
  absl::StatusOr<ApiKey> Change(
      const ResourceName& name,
      absl::FunctionRef<absl::Status(Transaction&, ApiKey&, bool again)> change);

  Store& store_;
  const Clock& clock_;
  SecretSource secrets_;
  const Sealer* const sealer_;
};

}  // namespace tocsin::core
