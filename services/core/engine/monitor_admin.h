// What people do with monitors: create, change, delete, pause, resume, rotate the push token.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/names.h"
#include "services/core/store/reads.h"
#include "services/core/store/store.h"

namespace tocsin::core {

class IncidentLog;

// Changes with every version of the definition; opaque to users.
std::string EtagOf(const MonitorDefinition& definition);

struct CreatedMonitor {
  MonitorView view;
  std::string push_token;  // shown this once; kept only as a hash. Empty with validate_only.
};

struct RotatedToken {
  MonitorView view;
  std::string push_token;  // shown this once; kept only as a hash
  absl::Time old_token_expires_at;
};

// Thread-safe. Every change is one transaction that also writes the events and deliveries which it
// leads to. Errors of every method: those of domain/errors.h (INVALID_ARGUMENT with all faults,
// ProjectNotFound, MonitorNotFound, …); UNAVAILABLE for what a retry can cure. An in-doubt commit
// is resolved by looking, so that a repeated call is never answered by what the first one did.
class MonitorAdmin {
 public:
  // Draws a new push token; a test may draw known ones.
  using TokenSource = std::function<std::string()>;

  // `store` and `clock` must outlive it.
  MonitorAdmin(Store& store, const Clock& clock);
  MonitorAdmin(Store& store, const Clock& clock, TokenSource tokens);

  // Of `definition`, project_id and id say where; key, project, version and times are ignored.
  // Faults name fields below "monitor", and "monitor_id". MonitorAlreadyExists when the id is
  // taken, also by a deleted monitor. With `validate_only`, checks all that can be checked, writes
  // nothing, and returns the monitor as it would be.
  absl::StatusOr<CreatedMonitor> Create(MonitorDefinition definition, bool validate_only);

  // Applies `edit` to the current definition; `edit` may be called several times, must not touch
  // identity, version or times, and its error is returned. An `etag` that is not empty must be
  // that of the current definition: StaleEtag. Nothing different: nothing is written.
  // A timeout that `edit` moves below a recommended interval that it left alone lowers that too;
  // an interval that was equal to the timeout stays equal. MonitorIsDeleted for a deleted one.
  absl::StatusOr<MonitorView> Update(const ResourceName& name, std::string_view etag,
                                     absl::FunctionRef<absl::Status(MonitorDefinition&)> edit);

  // Softly. Deleting twice is no error and does not move the time of deletion.
  absl::StatusOr<MonitorView> Delete(const ResourceName& name);
  // MonitorIsNotDeleted when it is not.
  absl::StatusOr<MonitorView> Undelete(const ResourceName& name);
  absl::StatusOr<MonitorView> Pause(const ResourceName& name);
  absl::StatusOr<MonitorView> Resume(const ResourceName& name);
  // The older tokens work until now + overlap (0 to 30 days; those that end earlier still do).
  absl::StatusOr<RotatedToken> RotateToken(const ResourceName& name, absl::Duration overlap);

 private:
  // Locks the monitor, lets `change` change it, and reads it back. `again`: an earlier run may
  // have been committed.
  absl::StatusOr<MonitorView> Change(
      const ResourceName& name, absl::FunctionRef<absl::Status(Transaction&, Monitor&, IncidentLog&,
                                                               absl::Time now, bool again)>
                                    change);
  absl::StatusOr<MonitorView> Watch(const ResourceName& name, bool watched);

  Store& store_;
  const Clock& clock_;
  TokenSource tokens_;
};

}  // namespace tocsin::core
