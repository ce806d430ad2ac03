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
#include "services/core/engine/event_writer.h"
#include "services/core/engine/held_project.h"
#include "services/core/engine/incident_log.h"
#include "services/core/engine/known_transaction.h"

namespace tocsin::core {
namespace {

std::string FullName(const MonitorDefinition& definition) {
  return MonitorName(definition.project_id, definition.id);
}

absl::StatusOr<ProjectKey> FindProject(Store& store, const std::string& id) {
  ASSIGN_OR_RETURN(const std::optional<ProjectKey> key, store.FindProject(id));
  if (!key.has_value()) return ProjectNotFound(ProjectName(id));
  return *key;
}

absl::StatusOr<Monitor> LockByKey(Transaction& transaction, MonitorKey key,
                                  const std::string& full_name) {
  ASSIGN_OR_RETURN(std::vector<Monitor> monitors,
                   transaction.LockMonitors({&key, 1}, LockMode::kWait));
  if (monitors.empty()) return MonitorNotFound(full_name);
  return std::move(monitors.front());
}

absl::StatusOr<MonitorView> ViewOf(Transaction& transaction, Monitor monitor) {
  MonitorView view = {.monitor = std::move(monitor), .last_heartbeat = std::nullopt};
  ASSIGN_OR_RETURN(view.last_heartbeat, transaction.NewestHeartbeat(view.monitor.definition.key));
  return view;
}

absl::Status CheckNamedChannels(Transaction& transaction, ProjectKey project,
                                const std::vector<std::string>& named) {
  if (named.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<Channel> channels, transaction.Channels(project));
  FieldFaults faults;
  for (const std::string& id : named) {
    const bool exists = std::any_of(channels.begin(), channels.end(),
                                    [&](const Channel& channel) { return channel.id == id; });
    if (!exists) {
      faults.Add("monitor.channels", absl::StrCat("the channel \"", id, "\" does not exist"),
                 "channels of the same project");
    }
  }
  return faults.ToStatus();
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
  if (after.timeout == before.timeout) return;
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

absl::Status AlreadyExists(Transaction& transaction, MonitorKey key, const std::string& full_name) {
  ASSIGN_OR_RETURN(const Monitor existing, LockByKey(transaction, key, full_name));
  const absl::Status status = MonitorAlreadyExists(full_name);
  if (!existing.definition.deleted_at.has_value()) return status;
  return WithMessage(status, absl::StrCat(full_name,
                                          " exists already: it is deleted, and can be undeleted "
                                          "until 30 days after its deletion"));
}

}  // namespace

std::string EtagOf(const MonitorDefinition& definition) {
  return absl::StrCat(absl::Hex(definition.version));
}

MonitorAdmin::MonitorAdmin(Store& store, const Clock& clock)
    : MonitorAdmin(store, clock, RandomToken) {}

MonitorAdmin::MonitorAdmin(Store& store, const Clock& clock, TokenSource tokens)
    : store_(store), clock_(clock), tokens_(std::move(tokens)) {}

absl::StatusOr<CreatedMonitor> MonitorAdmin::Create(MonitorDefinition definition,
                                                    bool validate_only) {
  FillDefaults(definition);
  FieldFaults faults;
  ValidateResourceId(definition.id, "monitor_id", faults);
  ValidateMonitor(definition, "monitor", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  ASSIGN_OR_RETURN(definition.project, FindProject(store_, definition.project_id));

  const absl::Time now = clock_.Now();
  definition.key = 0;
  definition.version = 0;
  definition.created_at = now;
  definition.updated_at = now;
  definition.deleted_at.reset();
  Monitor monitor = {.definition = std::move(definition), .state = {}};
  if (monitor.definition.arm_on_create) monitor.state.armed_at = now;
  CreatedMonitor created;
  if (!validate_only) created.push_token = tokens_();
  const TokenHash hash = Sha256(created.push_token);

  RETURN_IF_ERROR(TransactUntilKnown(
      store_, TransactionClass::kAdmin, [&](Transaction& transaction, bool again) -> absl::Status {
        created.view = {.monitor = monitor, .last_heartbeat = std::nullopt};
        MonitorDefinition& made = created.view.monitor.definition;
        if (again) {
          ASSIGN_OR_RETURN(const auto matches, transaction.ResolveTokens({&hash, 1}, now));
          if (matches.front().has_value()) {
            ASSIGN_OR_RETURN(created.view.monitor, LockByKey(transaction, matches.front()->monitor,
                                                             FullName(monitor.definition)));
            return absl::OkStatus();
          }
        }
        RETURN_IF_ERROR(HoldProject(transaction, made.project, made.project_id));
        ASSIGN_OR_RETURN(const std::optional<MonitorKey> existing,
                         transaction.FindMonitor(made.project, made.id));
        if (existing.has_value()) return AlreadyExists(transaction, *existing, FullName(made));
        RETURN_IF_ERROR(CheckNamedChannels(transaction, made.project, made.channels));
        if (validate_only) return absl::OkStatus();
        ASSIGN_OR_RETURN(const MonitorIdentity identity,
                         transaction.InsertMonitor(monitor, SweepAt(made, monitor.state)));
        made.key = identity.key;
        made.version = identity.version;
        return transaction.AddToken(made.key, hash, now);
      }));
  return created;
}

absl::StatusOr<MonitorView> MonitorAdmin::Change(
    const ResourceName& name, absl::FunctionRef<absl::Status(Transaction&, Monitor&, IncidentLog&,
                                                             absl::Time now, bool again)>
                                  change) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProject(store_, name.project));
  const std::string full_name = MonitorName(name.project, name.id);
  const absl::Time now = clock_.Now();
  MonitorView view;
  IncidentLog incidents;
  RETURN_IF_ERROR(TransactUntilKnown(
      store_, TransactionClass::kAdmin, [&](Transaction& transaction, bool again) -> absl::Status {
        incidents.Clear();
        ASSIGN_OR_RETURN(const std::optional<MonitorKey> key,
                         transaction.FindMonitor(project, name.id));
        if (!key.has_value()) return MonitorNotFound(full_name);
        ASSIGN_OR_RETURN(Monitor monitor, LockByKey(transaction, *key, full_name));
        RETURN_IF_ERROR(change(transaction, monitor, incidents, now, again));
        ASSIGN_OR_RETURN(view, ViewOf(transaction, std::move(monitor)));
        return absl::OkStatus();
      }));
  incidents.Write();
  return view;
}

absl::StatusOr<MonitorView> MonitorAdmin::Update(
    const ResourceName& name, std::string_view etag,
    absl::FunctionRef<absl::Status(MonitorDefinition&)> edit) {
  return Change(
      name,
      [&](Transaction& transaction, Monitor& monitor, IncidentLog& incidents, absl::Time now,
          bool again) -> absl::Status {
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
        if (!etag.empty() && etag != EtagOf(before)) return StaleEtag(FullName(before));
        if (after == before) return absl::OkStatus();
        if (after.channels != before.channels) {
          RETURN_IF_ERROR(CheckNamedChannels(transaction, after.project, after.channels));
        }
        after.updated_at = now;
        monitor.definition = std::move(after);
        const bool schedule_changed = monitor.definition.schedule != before.schedule;
        RETURN_IF_ERROR(Give(transaction, monitor,
                             Reconfigured{.schedule_changed = schedule_changed}, incidents, now));
        ASSIGN_OR_RETURN(monitor.definition.version,
                         transaction.SaveDefinition(monitor.definition));
        return absl::OkStatus();
      });
}

absl::StatusOr<MonitorView> MonitorAdmin::Delete(const ResourceName& name) {
  return Change(name,
                [](Transaction& transaction, Monitor& monitor, IncidentLog& incidents,
                   absl::Time now, bool) -> absl::Status {
                  if (monitor.definition.deleted_at.has_value()) return absl::OkStatus();
                  RETURN_IF_ERROR(Give(transaction, monitor, Deleted{}, incidents, now));
                  monitor.definition.deleted_at = now;
                  ASSIGN_OR_RETURN(monitor.definition.version,
                                   transaction.SaveDefinition(monitor.definition));
                  return absl::OkStatus();
                });
}

absl::StatusOr<MonitorView> MonitorAdmin::Undelete(const ResourceName& name) {
  return Change(name,
                [](Transaction& transaction, Monitor& monitor, IncidentLog& incidents,
                   absl::Time now, bool again) -> absl::Status {
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

absl::StatusOr<MonitorView> MonitorAdmin::Watch(const ResourceName& name, bool watched) {
  return Change(name,
                [&](Transaction& transaction, Monitor& monitor, IncidentLog& incidents,
                    absl::Time now, bool) -> absl::Status {
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

absl::StatusOr<MonitorView> MonitorAdmin::Pause(const ResourceName& name) {
  return Watch(name, false);
}

absl::StatusOr<MonitorView> MonitorAdmin::Resume(const ResourceName& name) {
  return Watch(name, true);
}

absl::StatusOr<RotatedToken> MonitorAdmin::RotateToken(const ResourceName& name,
                                                       absl::Duration overlap) {
  FieldFaults faults;
  ValidateTokenOverlap(overlap, "overlap", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  RotatedToken rotated;
  rotated.push_token = tokens_();
  const TokenHash hash = Sha256(rotated.push_token);
  ASSIGN_OR_RETURN(
      rotated.view,
      Change(name,
             [&](Transaction& transaction, Monitor& monitor, IncidentLog&, absl::Time now,
                 bool again) -> absl::Status {
               if (monitor.definition.deleted_at.has_value()) {
                 return MonitorIsDeleted(FullName(monitor.definition));
               }
               rotated.old_token_expires_at = now + absl::Trunc(overlap, absl::Microseconds(1));
               if (again) {
                 ASSIGN_OR_RETURN(const auto matches, transaction.ResolveTokens({&hash, 1}, now));
                 if (matches.front().has_value()) return absl::OkStatus();
               }
               const MonitorKey key = monitor.definition.key;
               RETURN_IF_ERROR(transaction.ExpireTokens(key, rotated.old_token_expires_at));
               RETURN_IF_ERROR(transaction.AddToken(key, hash, now));
               ASSIGN_OR_RETURN(monitor.definition.version,
                                transaction.SaveDefinition(monitor.definition));
               return absl::OkStatus();
             }));
  return rotated;
}

}  // namespace tocsin::core
