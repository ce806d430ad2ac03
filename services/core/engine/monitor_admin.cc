// What people do with monitors: create, change, delete, pause, resume, rotate the push token.
#include "services/core/engine/monitor_admin.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/random.h"
#include "common/sha256.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/transition.h"
#include "services/core/domain/validate.h"
#include "services/core/engine/audit_writer.h"
#include "services/core/engine/event_writer.h"
#include "services/core/engine/held_project.h"
#include "services/core/engine/incident_log.h"
#include "services/core/engine/known_transaction.h"
#include "services/core/engine/monitor_lookup.h"

namespace tocsin::core {
namespace {

absl::StatusOr<MonitorView> ViewOf(Transaction& transaction, Monitor monitor, absl::Time now) {
  MonitorView view = {.monitor = std::move(monitor), .last_heartbeat = std::nullopt};
  ASSIGN_OR_RETURN(view.last_heartbeat,
                   transaction.NewestHeartbeat(view.monitor.definition.key, now));
  return view;
}

absl::Status Validate(const MonitorDefinition& definition) {
  FieldFaults faults;
  ValidateMonitor(definition, "monitor", faults);
  return faults.ToStatus();
}

// Decides on a locked monitor and writes what follows; the definition is written by the caller.
absl::Status Give(Transaction& transaction, Monitor& monitor, const Input& input,
                  IncidentLog& incidents, absl::Time now) {
  // Gaps matter to deadlines only, and none of these inputs is one.
  const Decision decision = Decide(monitor.definition, monitor.state, input, GapList(), now);
  RETURN_IF_ERROR(WriteDecision(transaction, monitor, decision, now));
  incidents.Note(monitor.definition, decision, monitor.state);
  return absl::OkStatus();
}

// A recommended interval that an update left alone follows the timeout that it changed.
void FollowTimeout(const Schedule& before, Schedule& after) {
  if (after.timeout == before.timeout || after.cron.has_value()) return;
  if (after.recommended_interval != before.recommended_interval) return;
  const bool was_equal = before.recommended_interval == before.timeout;
  after.recommended_interval =
      was_equal ? after.timeout : std::min(before.recommended_interval, after.timeout);
}

void KeepWhatIsNotEdited(const MonitorDefinition& before, MonitorDefinition& after) {
  after.key = before.key;
  after.project = before.project;
  after.project_id = before.project_id;
  after.id = before.id;
  after.version = before.version;
  after.created_at = before.created_at;
  after.updated_at = before.updated_at;
  after.deleted_at = before.deleted_at;
}

// What the state machine is told of an update.
Reconfigured ChangeOf(const MonitorDefinition& before, const MonitorDefinition& after) {
  if (after.schedule == before.schedule) return {};
  return {.replaced = before.schedule};
}

}  // namespace

std::string EtagOf(const MonitorDefinition& definition) {
  return definition.version == 0 ? "" : absl::StrCat(absl::Hex(definition.version));
}

MonitorAdmin::MonitorAdmin(Store& store, const Clock& clock, const Sealer* sealer)
    : MonitorAdmin(store, clock, RandomToken, sealer) {}

MonitorAdmin::MonitorAdmin(Store& store, const Clock& clock, TokenSource tokens,
                           const Sealer* sealer)
    : store_(store), clock_(clock), tokens_(std::move(tokens)), sealer_(sealer) {}

absl::StatusOr<MonitorView> MonitorAdmin::Change(const Caller& caller, const ResourceName& name,
                                                 bool validate_only, ChangeBody change) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProjectKey(store_, name.project));
  const AuditedResource resource = {
      .project = project, .project_id = name.project, .name = MonitorName(name.project, name.id)};
  const absl::Time now = clock_.Now();
  MonitorView view;
  IncidentLog incidents;
  RETURN_IF_ERROR(TransactOrValidate(
      store_, validate_only, [&](Transaction& transaction, bool again) -> absl::Status {
        incidents.Clear();
        ASSIGN_OR_RETURN(const std::optional<MonitorKey> key,
                         transaction.FindMonitor(project, name.id));
        if (!key.has_value()) return MonitorNotFound(resource.name);
        ASSIGN_OR_RETURN(Monitor monitor, LockByKey(transaction, *key, resource.name));
        const Monitor before = monitor;
        std::vector<FieldChange> more;
        RETURN_IF_ERROR(change(transaction, monitor, incidents, now, again, more));
        const bool deleted = !before.definition.deleted_at && monitor.definition.deleted_at;
        std::vector<FieldChange> changes = ChangesOf(&before, deleted ? nullptr : &monitor);
        changes.insert(changes.end(), more.begin(), more.end());
        RETURN_IF_ERROR(WriteAudit(transaction, caller, resource, std::move(changes), now));
        ASSIGN_OR_RETURN(view, ViewOf(transaction, std::move(monitor), now));
        return absl::OkStatus();
      }));
  if (validate_only) {
    view.monitor.definition.version = 0;
    return view;
  }
  incidents.Write();
  return view;
}

absl::StatusOr<MonitorView> MonitorAdmin::Update(
    const Caller& caller, const ResourceName& name,
    absl::FunctionRef<absl::Status(MonitorDefinition&)> edit, const UpdateOptions& options) {
  if (options.if_missing == nullptr) return UpdateExisting(caller, name, edit, options);
  absl::Status status;
  // Somebody else may make it, or drop it for good, between the two.
  for (int tries = 0; tries < 3; ++tries) {
    absl::StatusOr<MonitorView> updated = UpdateExisting(caller, name, edit, options);
    if (updated.ok() || tocsin::Reason(updated.status()) != kMonitorNotFound) return updated;
    if (!options.etag.empty()) return EtagOfNothing(MonitorName(name.project, name.id));
    absl::StatusOr<CreatedMonitor> created =
        Create(caller, *options.if_missing,
               {.validate_only = options.validate_only,
                .without_token = !options.token_hash.has_value(),
                .token_hash = options.token_hash});
    if (created.ok()) return std::move(created->view);
    status = created.status();
    if (tocsin::Reason(status) != kMonitorAlreadyExists) return status;
  }
  return status;
}

absl::StatusOr<MonitorView> MonitorAdmin::UpdateExisting(
    const Caller& caller, const ResourceName& name,
    absl::FunctionRef<absl::Status(MonitorDefinition&)> edit, const UpdateOptions& options) {
  return Change(caller, name, options.validate_only,
                [&](Transaction& transaction, Monitor& monitor, IncidentLog& incidents,
                    absl::Time now, bool again, std::vector<FieldChange>&) -> absl::Status {
                  const MonitorDefinition before = monitor.definition;
                  if (before.deleted_at.has_value()) return MonitorIsDeleted(FullName(before));
                  MonitorDefinition after = before;
                  RETURN_IF_ERROR(edit(after));
                  KeepWhatIsNotEdited(before, after);
                  FollowTimeout(before.schedule, after.schedule);
                  FillDefaults(after);
                  RETURN_IF_ERROR(Validate(after));
                  // A repeated run may find its own change, and the etag of its own making.
                  if (again && after == before) return absl::OkStatus();
                  if (!options.etag.empty() && options.etag != EtagOf(before)) {
                    return StaleEtag(FullName(before));
                  }
                  if (after == before) return absl::OkStatus();
                  if (after.channels != before.channels) {
                    RETURN_IF_ERROR(CheckNamedChannels(transaction, after.project, after.channels));
                  }
                  after.updated_at = now;
                  monitor.definition = std::move(after);
                  RETURN_IF_ERROR(Give(transaction, monitor, ChangeOf(before, monitor.definition),
                                       incidents, now));
                  ASSIGN_OR_RETURN(monitor.definition.version,
                                   transaction.SaveDefinition(monitor.definition));
                  return absl::OkStatus();
                });
}

absl::StatusOr<MonitorView> MonitorAdmin::Delete(const Caller& caller, const ResourceName& name,
                                                 const DeletionOptions& options) {
  return Change(caller, name, options.validate_only,
                [&](Transaction& transaction, Monitor& monitor, IncidentLog& incidents,
                    absl::Time now, bool again, std::vector<FieldChange>&) -> absl::Status {
                  const MonitorDefinition& definition = monitor.definition;
                  // A repeated run may find its own deletion, with another etag.
                  if (again && definition.deleted_at == now) return absl::OkStatus();
                  if (!options.etag.empty() && options.etag != EtagOf(definition)) {
                    return StaleEtag(FullName(definition));
                  }
                  if (definition.deleted_at.has_value()) return absl::OkStatus();
                  RETURN_IF_ERROR(Give(transaction, monitor, Deleted{}, incidents, now));
                  monitor.definition.deleted_at = now;
                  ASSIGN_OR_RETURN(monitor.definition.version,
                                   transaction.SaveDefinition(monitor.definition));
                  return absl::OkStatus();
                });
}

absl::StatusOr<MonitorView> MonitorAdmin::Undelete(const Caller& caller, const ResourceName& name) {
  return Change(caller, name, /*validate_only=*/false,
                [](Transaction& transaction, Monitor& monitor, IncidentLog& incidents,
                   absl::Time now, bool again, std::vector<FieldChange>&) -> absl::Status {
                  if (!monitor.definition.deleted_at.has_value()) {
                    return again ? absl::OkStatus()
                                 : MonitorIsNotDeleted(FullName(monitor.definition));
                  }
                  RETURN_IF_ERROR(HoldProject(transaction, monitor.definition.project,
                                              monitor.definition.project_id));
                  monitor.definition.deleted_at.reset();
                  RETURN_IF_ERROR(Give(transaction, monitor, Undeleted{}, incidents, now));
                  ASSIGN_OR_RETURN(monitor.definition.version,
                                   transaction.SaveDefinition(monitor.definition));
                  return absl::OkStatus();
                });
}

absl::StatusOr<MonitorView> MonitorAdmin::Watch(const Caller& caller, const ResourceName& name,
                                                bool watched) {
  return Change(caller, name, /*validate_only=*/false,
                [&](Transaction& transaction, Monitor& monitor, IncidentLog& incidents,
                    absl::Time now, bool, std::vector<FieldChange>&) -> absl::Status {
                  if (monitor.definition.deleted_at.has_value()) {
                    return MonitorIsDeleted(FullName(monitor.definition));
                  }
                  if ((monitor.state.state != State::kPaused) == watched) return absl::OkStatus();
                  const Input input = watched ? Input(Resumed{}) : Input(Paused{});
                  RETURN_IF_ERROR(Give(transaction, monitor, input, incidents, now));
                  ASSIGN_OR_RETURN(monitor.definition.version,
                                   transaction.SaveDefinition(monitor.definition));
                  return absl::OkStatus();
                });
}

absl::StatusOr<MonitorView> MonitorAdmin::Pause(const Caller& caller, const ResourceName& name) {
  return Watch(caller, name, false);
}

absl::StatusOr<MonitorView> MonitorAdmin::Resume(const Caller& caller, const ResourceName& name) {
  return Watch(caller, name, true);
}

absl::StatusOr<RotatedToken> MonitorAdmin::RotateToken(const Caller& caller,
                                                       const ResourceName& name,
                                                       absl::Duration overlap,
                                                       std::optional<TokenHash> token_hash) {
  FieldFaults faults;
  ValidateTokenOverlap(overlap, "overlap", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  RotatedToken rotated;
  if (!token_hash.has_value()) rotated.push_token = tokens_();
  const TokenHash hash = token_hash.value_or(Sha256(rotated.push_token));
  ASSIGN_OR_RETURN(
      rotated.view,
      Change(caller, name, /*validate_only=*/false,
             [&](Transaction& transaction, Monitor& monitor, IncidentLog&, absl::Time now,
                 bool again, std::vector<FieldChange>& more) -> absl::Status {
               if (monitor.definition.deleted_at.has_value()) {
                 return MonitorIsDeleted(FullName(monitor.definition));
               }
               const MonitorKey key = monitor.definition.key;
               rotated.old_token_expires_at = now + absl::Trunc(overlap, absl::Microseconds(1));
               if (again) {
                 ASSIGN_OR_RETURN(const auto matches, transaction.ResolveTokens({&hash, 1}, now));
                 if (matches.front() && matches.front()->monitor == key) return absl::OkStatus();
               }
               RETURN_IF_ERROR(transaction.ExpireTokens(key, rotated.old_token_expires_at));
               RETURN_IF_ERROR(AddFreshToken(transaction, key, hash, now));
               ASSIGN_OR_RETURN(monitor.definition.version,
                                transaction.SaveDefinition(monitor.definition));
               more = std::move(FieldChanges()
                                    .Secret("push_token")
                                    .Time("old_token_expire_time", std::nullopt,
                                          rotated.old_token_expires_at))
                          .Take();
               return absl::OkStatus();
             }));
  return rotated;
}

}  // namespace tocsin::core
