// What people do with keys: create, read, change, revoke, rotate.
#include "services/core/engine/key_admin.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/random.h"
#include "common/sha256.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/validate.h"
#include "services/core/engine/audit_writer.h"
#include "services/core/engine/held_project.h"
#include "services/core/engine/known_transaction.h"
#include "services/core/engine/repeatable_request.h"

namespace tocsin::core {
namespace {

constexpr size_t kSecretBytes = 32;

// 0 for all projects.
absl::StatusOr<ProjectKey> FindProject(Store& store, const std::string& id) {
  if (id == kAnyProject) return 0;
  ASSIGN_OR_RETURN(const std::optional<ProjectKey> key, store.FindProject(id));
  if (!key.has_value()) return ProjectNotFound(ProjectName(id));
  return *key;
}

std::string FullName(const ApiKey& key) { return KeyName(key.project_id, key.id); }

void CheckExpiry(const ApiKey& key, absl::Time now, FieldFaults& faults) {
  if (!key.expires_at.has_value() || *key.expires_at > now) return;
  faults.Add("key.expire_time", "it is in the past", "a time to come, or none for never");
}

KeySecret SecretOf(const std::string& secret, absl::Time now) {
  return {.hash = Sha256(secret), .prefix = PrefixOf(secret), .created_at = now};
}

// Whether an earlier run of this very operation gave the key its newest secret. The prefix is
// drawn, so it is no other's.
bool IsOurs(const ApiKey& key, const KeySecret& secret) { return key.prefix == secret.prefix; }

// What the audit log says; before a creation there is nothing. Another prefix is another secret.
absl::Status Tell(Transaction& transaction, const Caller& caller, const ApiKey* before,
                  const ApiKey& after, absl::Time now) {
  std::vector<FieldChange> changes = ChangesOf(before, &after);
  if (before != nullptr && before->prefix != after.prefix) {
    changes.push_back(std::move(FieldChanges().Secret("secret")).Take().front());
  }
  const AuditedResource resource = {.project = after.project,
                                    .project_id = after.project == 0 ? "" : after.project_id,
                                    .name = FullName(after)};
  return WriteAudit(transaction, caller, resource, std::move(changes), now);
}

}  // namespace

std::string EtagOf(const ApiKey& key) { return absl::StrCat(absl::Hex(key.version)); }

KeyAdmin::KeyAdmin(Store& store, const Clock& clock, const Sealer* sealer)
    : KeyAdmin(
          store, clock, [] { return FormatSecret(RandomBytes(kSecretBytes)); }, sealer) {}

KeyAdmin::KeyAdmin(Store& store, const Clock& clock, SecretSource secrets, const Sealer* sealer)
    : store_(store), clock_(clock), secrets_(std::move(secrets)), sealer_(sealer) {}

absl::StatusOr<CreatedKey> KeyAdmin::Create(const Caller& caller, ApiKey key, bool validate_only,
                                            const RequestIdentity& identity) {
  const absl::Time now = clock_.Now();
  FillDefaults(key);
  FieldFaults faults;
  ValidateResourceId(key.id, "key_id", faults);
  ValidateApiKey(key, "key", faults);
  const bool sound = faults.empty();
  CheckExpiry(key, now, faults);
  // One that was made may have expired by now: whether this request did is looked up first.
  const bool may_repeat = sound && !identity.id.empty() && !validate_only;
  if (!may_repeat) RETURN_IF_ERROR(faults.ToStatus());
  ASSIGN_OR_RETURN(key.project, FindProject(store_, key.project_id));
  key.key = 0;
  key.version = 0;
  key.prefix.clear();
  key.created_at = key.updated_at = now;
  key.used_at.reset();
  key.revoked_at.reset();
  // What is only checked is not remembered.
  const RepeatableRequest request(caller, validate_only ? RequestIdentity() : identity,
                                  FullName(key), sealer_, now);
  CreatedKey created;
  if (!validate_only) created.secret = request.derives() ? request.ApiKeySecret() : secrets_();
  const KeySecret secret = SecretOf(created.secret, now);
  RETURN_IF_ERROR(TransactUntilKnown(
      store_, TransactionClass::kAdmin, [&](Transaction& transaction, bool again) -> absl::Status {
        if (key.project != 0) {
          RETURN_IF_ERROR(HoldProject(transaction, key.project, key.project_id));
        }
        ASSIGN_OR_RETURN(const std::optional<RequestRecord> earlier, request.Claim(transaction));
        if (earlier.has_value()) {
          created.key = key;
          created.key.created_at = created.key.updated_at = earlier->at;
          created.key.version = earlier->version;
          if (!again || earlier->at != now) {
            created.secret = request.ApiKeySecretOf(*earlier).value_or("");
          }
          created.key.prefix = PrefixOf(created.secret);
          return absl::OkStatus();
        }
        RETURN_IF_ERROR(faults.ToStatus());
        ASSIGN_OR_RETURN(std::optional<ApiKey> existing, transaction.LockKey(key.project, key.id));
        if (existing.has_value() && !existing->revoked_at.has_value()) {
          if (!again || !IsOurs(*existing, secret)) return KeyAlreadyExists(FullName(key));
          created.key = *std::move(existing);
          return absl::OkStatus();
        }
        created.key = key;
        if (validate_only) return absl::OkStatus();
        const absl::StatusOr<ApiKeyIdentity> added = transaction.InsertKey(key);
        if (absl::IsAlreadyExists(added.status())) return KeyAlreadyExists(FullName(key));
        RETURN_IF_ERROR(added.status());
        RETURN_IF_ERROR(transaction.AddKeySecret(added->key, secret));
        created.key.key = added->key;
        created.key.version = added->version;
        created.key.prefix = secret.prefix;
        RETURN_IF_ERROR(Tell(transaction, caller, nullptr, created.key, now));
        return request.Made(transaction, added->version);
      }));
  return created;
}

absl::StatusOr<ApiKey> KeyAdmin::Get(const ResourceName& name) {
  return Change(name, [](Transaction&, ApiKey&, bool) { return absl::OkStatus(); });
}

absl::StatusOr<std::vector<ApiKey>> KeyAdmin::List(const std::string& project_id,
                                                   const KeyPlace& after, int limit,
                                                   bool show_revoked) {
  KeyQuery query;
  if (project_id != kAnyProject) {
    ASSIGN_OR_RETURN(query.project, FindProject(store_, project_id));
  }
  query.after = after;
  query.limit = limit;
  query.show_revoked = show_revoked;
  return store_.ListKeys(query);
}

absl::StatusOr<ApiKey> KeyAdmin::Change(
    const ResourceName& name,
    absl::FunctionRef<absl::Status(Transaction&, ApiKey&, bool again)> change) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProject(store_, name.project));
  ApiKey result;
  RETURN_IF_ERROR(TransactUntilKnown(
      store_, TransactionClass::kAdmin, [&](Transaction& transaction, bool again) -> absl::Status {
        ASSIGN_OR_RETURN(std::optional<ApiKey> key, transaction.LockKey(project, name.id));
        if (!key.has_value()) return KeyNotFound(KeyName(name.project, name.id));
        RETURN_IF_ERROR(change(transaction, *key, again));
        result = *std::move(key);
        return absl::OkStatus();
      }));
  return result;
}

absl::StatusOr<ApiKey> KeyAdmin::Update(const Caller& caller, const ResourceName& name,
                                        std::string_view etag,
                                        absl::FunctionRef<absl::Status(ApiKey&)> edit,
                                        bool validate_only) {
  const absl::Time now = clock_.Now();
  return Change(name, [&](Transaction& transaction, ApiKey& key, bool again) -> absl::Status {
    const ApiKey before = key;
    // An earlier run may have changed the etag.
    if (!again && !etag.empty() && etag != EtagOf(before)) return StaleEtag(FullName(before));
    if (before.revoked_at.has_value()) return KeyIsRevoked(FullName(before));
    RETURN_IF_ERROR(edit(key));
    FillDefaults(key);
    FieldFaults faults;
    ValidateApiKey(key, "key", faults);
    if (key.expires_at != before.expires_at) CheckExpiry(key, now, faults);
    RETURN_IF_ERROR(faults.ToStatus());
    if (key == before) return absl::OkStatus();
    key.updated_at = now;
    if (validate_only) return absl::OkStatus();
    ASSIGN_OR_RETURN(key.version, transaction.SaveKey(key));
    return Tell(transaction, caller, &before, key, now);
  });
}

absl::StatusOr<ApiKey> KeyAdmin::Revoke(const Caller& caller, const ResourceName& name,
                                        std::string_view etag) {
  const absl::Time now = clock_.Now();
  return Change(name, [&](Transaction& transaction, ApiKey& key, bool again) -> absl::Status {
    if (again && key.revoked_at.has_value()) return absl::OkStatus();
    if (!etag.empty() && etag != EtagOf(key)) return StaleEtag(FullName(key));
    if (key.revoked_at.has_value()) return absl::OkStatus();
    const ApiKey before = key;
    key.revoked_at = key.updated_at = now;
    ASSIGN_OR_RETURN(key.version, transaction.SaveKey(key));
    return Tell(transaction, caller, &before, key, now);
  });
}

absl::StatusOr<RotatedKey> KeyAdmin::Rotate(const Caller& caller, const ResourceName& name,
                                            absl::Duration overlap) {
  FieldFaults faults;
  ValidateTokenOverlap(overlap, "overlap", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  const absl::Time now = clock_.Now();
  RotatedKey rotated;
  rotated.secret = secrets_();
  rotated.old_secret_expires_at = now + overlap;
  const KeySecret secret = SecretOf(rotated.secret, now);
  ASSIGN_OR_RETURN(
      rotated.key,
      Change(name, [&](Transaction& transaction, ApiKey& key, bool again) -> absl::Status {
        if (again && IsOurs(key, secret)) return absl::OkStatus();
        if (key.revoked_at.has_value()) return KeyIsRevoked(FullName(key));
        RETURN_IF_ERROR(transaction.ExpireKeySecrets(key.key, rotated.old_secret_expires_at));
        RETURN_IF_ERROR(transaction.AddKeySecret(key.key, secret));
        const ApiKey before = key;
        key.prefix = secret.prefix;
        key.updated_at = now;
        ASSIGN_OR_RETURN(key.version, transaction.SaveKey(key));
        return Tell(transaction, caller, &before, key, now);
      }));
  return rotated;
}

absl::Status KeyAdmin::Install(const Caller& caller, const std::string& id, Role role,
                               const std::string& secret_text) {
  const absl::Time now = clock_.Now();
  const KeySecret secret = SecretOf(secret_text, now);
  ASSIGN_OR_RETURN(const std::optional<KeyMatch> known, store_.FindKeyBySecret(secret.hash));
  if (known.has_value()) {
    const ApiKey& key = known->key;
    if (key.project != 0 || key.id != id || key.role != role) {
      return absl::FailedPreconditionError(absl::StrCat("it is that of ", FullName(key),
                                                        ", a key with the role ",
                                                        std::string(RoleWord(key.role))));
    }
    if (known->EndsAt() <= now) {
      return absl::FailedPreconditionError(
          absl::StrCat("it is one of ", FullName(key),
                       " that was revoked, replaced or has expired; put a new one into the file"));
    }
    return absl::OkStatus();
  }
  const auto install = [&](Transaction& transaction, bool) -> absl::Status {
    ASSIGN_OR_RETURN(std::optional<ApiKey> key, transaction.LockKey(0, id));
    if (!key.has_value() || key->revoked_at.has_value()) {
      key = ApiKey();
      key->project_id = std::string(kAnyProject);
      key->id = key->display_name = id;
      key->role = role;
      key->created_at = key->updated_at = now;
      ASSIGN_OR_RETURN(const ApiKeyIdentity identity, transaction.InsertKey(*key));
      RETURN_IF_ERROR(transaction.AddKeySecret(identity.key, secret));
      return Tell(transaction, caller, nullptr, *key, now);
    }
    if (key->role != role) {
      return absl::FailedPreconditionError(absl::StrCat(
          FullName(*key), " has the role ", std::string(RoleWord(key->role)), "; revoke it first"));
    }
    // Another replica, or an earlier run, did it meanwhile.
    if (IsOurs(*key, secret)) return absl::OkStatus();
    const ApiKey before = *key;
    key->expires_at.reset();
    key->prefix = secret.prefix;
    key->updated_at = now;
    RETURN_IF_ERROR(transaction.ExpireKeySecrets(key->key, now));
    RETURN_IF_ERROR(transaction.AddKeySecret(key->key, secret));
    RETURN_IF_ERROR(transaction.SaveKey(*key).status());
    return Tell(transaction, caller, &before, *key, now);
  };
  const absl::Status status = TransactUntilKnown(store_, TransactionClass::kAdmin, install);
  // Made by a replica that starts at the same time: it is looked at again.
  if (!absl::IsAlreadyExists(status)) return status;
  return TransactUntilKnown(store_, TransactionClass::kAdmin, install);
}

}  // namespace tocsin::core
