// What people do with monitors: create, change, delete, pause, resume, rotate the push token.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "services/core/domain/audit.h"
#include "services/core/domain/caller.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/names.h"
#include "services/core/domain/request_identity.h"
#include "services/core/store/reads.h"
#include "services/core/store/sealer.h"
#include "services/core/store/store.h"

namespace tocsin::core {

class IncidentLog;

// Changes with every version of the definition; opaque to users. Empty for one that was not made.
std::string EtagOf(const MonitorDefinition& definition);

struct CreatedMonitor {
  MonitorView view;
  // Shown this once; kept only as a hash. Empty with validate_only or token_hash, and when a
  // repeated request cannot be given it again.
  std::string push_token;
};

struct CreationOptions {
  bool validate_only = false;
  bool without_token = false;
  std::optional<TokenHash> token_hash{};  // of a token that somebody else drew
  RequestIdentity request{};
};

struct UpdateOptions {
  std::string etag{};  // empty: any
  bool validate_only = false;
  // What is made when there is no such monitor, with this hash of a token or without one.
  const MonitorDefinition* if_missing = nullptr;
  std::optional<TokenHash> token_hash{};
};

struct DeletionOptions {
  std::string etag{};  // empty: any
  bool validate_only = false;
};

struct RotatedToken {
  MonitorView view;
  std::string
      push_token;  // shown this once; kept only as a hash. Empty with a hash that was given.
  absl::Time old_token_expires_at;
};

// Thread-safe. Every change is one transaction that also writes the events and deliveries which it
// leads to, and what the audit log says of it: who the `caller` is, and what became different.
// Errors of every method: those of domain/errors.h (INVALID_ARGUMENT with all faults,
// ProjectNotFound, MonitorNotFound, …); UNAVAILABLE for what a retry can cure. An in-doubt commit
// is resolved by looking, so that a repeated call is never answered by what the first one did.
// With `validate_only` everything is checked, nothing is written, and the answer is the monitor as
// it would be, without an etag.
class MonitorAdmin {
 public:
  // Draws a new push token; a test may draw known ones.
  using TokenSource = std::function<std::string()>;

  // `store` and `clock` must outlive it, and so must `sealer`, from whose key the tokens of
  // requests that may be repeated are derived (see RepeatableRequest); null: such tokens are drawn
  // too.
  MonitorAdmin(Store& store, const Clock& clock, const Sealer* sealer = nullptr);
  MonitorAdmin(Store& store, const Clock& clock, TokenSource tokens,
               const Sealer* sealer = nullptr);

  // Of `definition`, project_id and id say where; key, project, version and times are ignored.
  // Faults name fields below "monitor", and "monitor_id". MonitorAlreadyExists when the id is
  // taken, also by a deleted monitor; PushTokenInUse. A request that repeats an earlier one (see
  // RequestIdentity) makes nothing and is answered as that one was, whatever became of the monitor.
  absl::StatusOr<CreatedMonitor> Create(const Caller& caller, MonitorDefinition definition,
                                        const CreationOptions& options = {});

  // Applies `edit` to the current definition; `edit` may be called several times, must not touch
  // identity, version or times, and its error is returned. An etag that is given must be
  // that of the current definition: StaleEtag. Nothing different: nothing is written.
  // A timeout that `edit` moves below a recommended interval that it left alone lowers that too;
  // an interval that was equal to the timeout stays equal. MonitorIsDeleted for a deleted one.
  absl::StatusOr<MonitorView> Update(const Caller& caller, const ResourceName& name,
                                     absl::FunctionRef<absl::Status(MonitorDefinition&)> edit,
                                     const UpdateOptions& options = {});

  // Softly. Deleting twice is no error and does not move the time of deletion.
  absl::StatusOr<MonitorView> Delete(const Caller& caller, const ResourceName& name,
                                     const DeletionOptions& options = {});
  // MonitorIsNotDeleted when it is not.
  absl::StatusOr<MonitorView> Undelete(const Caller& caller, const ResourceName& name);
  absl::StatusOr<MonitorView> Pause(const Caller& caller, const ResourceName& name);
  absl::StatusOr<MonitorView> Resume(const Caller& caller, const ResourceName& name);
  // The older tokens work until now + overlap (0 to 30 days; those that end earlier still do).
  // `token_hash` is of a token that somebody else drew: PushTokenInUse.
  absl::StatusOr<RotatedToken> RotateToken(const Caller& caller, const ResourceName& name,
                                           absl::Duration overlap,
                                           std::optional<TokenHash> token_hash = std::nullopt);

 private:
  // What a change does to a locked monitor. `again`: an earlier run may have been committed. To
  // `more` it may add changes that the monitor does not show.
  using ChangeBody =
      absl::FunctionRef<absl::Status(Transaction&, Monitor&, IncidentLog&, absl::Time now,
                                     bool again, std::vector<FieldChange>& more)>;

  // Locks the monitor, lets `change` change it, writes what the audit log says, and reads it back.
  absl::StatusOr<MonitorView> Change(const Caller& caller, const ResourceName& name,
                                     bool validate_only, ChangeBody change);
  absl::StatusOr<MonitorView> UpdateExisting(
      const Caller& caller, const ResourceName& name,
      absl::FunctionRef<absl::Status(MonitorDefinition&)> edit, const UpdateOptions& options);
  absl::StatusOr<MonitorView> Watch(const Caller& caller, const ResourceName& name, bool watched);

  Store& store_;
  const Clock& clock_;
  TokenSource tokens_;
  const Sealer* const sealer_;
};

}  // namespace tocsin::core
