// What people do with maintenances.
#include "services/core/engine/maintenance_admin.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "services/core/domain/audit.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/validate.h"
#include "services/core/engine/audit_writer.h"
#include "services/core/engine/held_project.h"
#include "services/core/engine/known_transaction.h"
#include "services/core/engine/monitor_lookup.h"
#include "services/core/engine/repeatable_request.h"

namespace tocsin::core {
namespace {

bool IsMute(MaintenanceKind kind) { return kind == MaintenanceKind::kMute; }

std::string FullName(MaintenanceKind kind, const ResourceName& name) {
  return IsMute(kind) ? MuteName(name.project, name.id) : MaintenanceName(name.project, name.id);
}

std::string FullName(const Maintenance& maintenance) {
  return FullName(maintenance.kind, {.project = maintenance.project_id, .id = maintenance.id});
}

absl::Status IsTaken(const Maintenance& maintenance) {
  const std::string name = FullName(maintenance);
  return IsMute(maintenance.kind) ? MuteAlreadyExists(name) : MaintenanceAlreadyExists(name);
}

AuditedResource ResourceOf(const Maintenance& maintenance) {
  return {.project = maintenance.project,
          .project_id = maintenance.project_id,
          .name = FullName(maintenance)};
}

// So many times, and for so long, whoever made a change waits for it.
constexpr int kPartsWaitedFor = 100;
constexpr absl::Duration kWaitedFor = absl::Seconds(1);

bool IsAboutTheSame(const Maintenance& a, const Maintenance& b) {
  return a.selector == b.selector && a.monitors == b.monitors && a.all_monitors == b.all_monitors;
}

bool HasTheSameWindows(const Maintenance& a, const Maintenance& b) {
  return a.start == b.start && a.end == b.end && a.recurring == b.recurring;
}

// The ids of the monitors that either is about; empty: there may be others.
std::vector<std::string> NamedByEither(const Maintenance& a, const Maintenance& b) {
  std::vector<std::string> named;
  for (const Maintenance* each : {&a, &b}) {
    if (each->all_monitors || !each->selector.empty()) return {};
    named.insert(named.end(), each->monitors.begin(), each->monitors.end());
  }
  return named;
}

// `before` as a maintenance that ends now, if it had a window of which `after` knows nothing: until
// a job that rested in that is heard again, its deadline is counted from the end of it.
std::optional<Maintenance> WhatIsForgotten(const Maintenance& before, const Maintenance& after,
                                           absl::Time now) {
  const std::optional<MaintenanceWindow> was = WindowBegunBy(before, now);
  if (!was.has_value()) return std::nullopt;
  if (IsAboutTheSame(before, after)) {
    if (before.recurring == after.recurring && before.recurring.has_value()) return std::nullopt;
    const std::optional<MaintenanceWindow> is = WindowBegunBy(after, now);
    const bool covers =
        is.has_value() && is->start <= was->start && is->end >= std::min(was->end, now);
    if (covers) return std::nullopt;
  }
  Maintenance forgotten = before;
  forgotten.deleted_at = now;
  return forgotten;
}

absl::StatusOr<Maintenance> Lock(Transaction& transaction, ProjectKey project, MaintenanceKind kind,
                                 const ResourceName& name) {
  ASSIGN_OR_RETURN(std::optional<Maintenance> found,
                   transaction.LockMaintenance(project, kind, name.id));
  if (found.has_value()) return *std::move(found);
  const std::string full = FullName(kind, name);
  return IsMute(kind) ? MuteNotFound(full) : MaintenanceNotFound(full);
}

}  // namespace

std::string EtagOf(const Maintenance& maintenance) {
  return maintenance.version == 0 ? "" : absl::StrCat(absl::Hex(maintenance.version));
}

absl::StatusOr<Maintenance> MaintenanceAdmin::Create(const Caller& caller, Maintenance maintenance,
                                                     const MaintenanceOptions& options) {
  const absl::Time now = clock_.Now();
  FillDefaults(maintenance);
  FieldFaults faults;
  const bool mute = IsMute(maintenance.kind);
  ValidateResourceId(maintenance.id, mute ? "mute_id" : "maintenance_id", faults);
  const bool is_named = faults.empty();
  ValidateMaintenance(maintenance, mute ? "mute" : "maintenance", faults);
  // One that was made may be over by now: whether this request did is looked up first.
  const bool may_repeat = is_named && !options.request.id.empty() && !options.validate_only;
  if (!may_repeat) RETURN_IF_ERROR(faults.ToStatus());
  ASSIGN_OR_RETURN(maintenance.project, FindProjectKey(store_, maintenance.project_id));
  maintenance.key = 0;
  maintenance.version = 0;
  maintenance.author = caller.actor;
  maintenance.created_at = maintenance.updated_at = now;
  const RepeatableRequest request(caller,
                                  options.validate_only ? RequestIdentity() : options.request,
                                  FullName(maintenance), nullptr, now);
  Maintenance made;
  RETURN_IF_ERROR(TransactOrValidate(
      store_, options.validate_only, [&](Transaction& transaction, bool again) -> absl::Status {
        made = maintenance;
        ASSIGN_OR_RETURN(const std::optional<RequestRecord> earlier, request.Claim(transaction));
        if (earlier.has_value()) {
          made.created_at = made.updated_at = earlier->at;
          if (options.starts_now) made.start = earlier->at;
          made.version = earlier->version;
          return absl::OkStatus();
        }
        RETURN_IF_ERROR(faults.ToStatus());
        RETURN_IF_ERROR(HoldProject(transaction, maintenance.project, maintenance.project_id));
        ASSIGN_OR_RETURN(
            std::optional<Maintenance> existing,
            transaction.LockMaintenance(maintenance.project, maintenance.kind, maintenance.id));
        if (existing.has_value()) {
          if (!again || existing->created_at != now) {
            return IsTaken(maintenance);
          }
          made = *std::move(existing);
          return absl::OkStatus();
        }
        ASSIGN_OR_RETURN(const int64_t count,
                         transaction.CountMaintenances(maintenance.project, maintenance.kind, now));
        if (count >= kMaxMaintenances) {
          const std::string project = ProjectName(maintenance.project_id);
          return mute ? TooManyMutes(project, kMaxMaintenances)
                      : TooManyMaintenances(project, kMaxMaintenances);
        }
        absl::StatusOr<Maintenance> inserted = transaction.InsertMaintenance(maintenance);
        // Somebody else was quicker.
        if (absl::IsAlreadyExists(inserted.status())) {
          return IsTaken(maintenance);
        }
        RETURN_IF_ERROR(inserted.status());
        made = *std::move(inserted);
        RETURN_IF_ERROR(request.Made(transaction, made.version));
        return WriteAudit(transaction, caller, ResourceOf(made), ChangesOf(nullptr, &made), now);
      }));
  if (options.validate_only) made.version = 0;
  return made;
}

absl::StatusOr<Maintenance> MaintenanceAdmin::Get(MaintenanceKind kind, const ResourceName& name) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProjectKey(store_, name.project));
  Maintenance found;
  RETURN_IF_ERROR(
      store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(found, Lock(transaction, project, kind, name));
        return absl::OkStatus();
      }));
  return found;
}

absl::StatusOr<std::vector<Maintenance>> MaintenanceAdmin::List(const std::string& project_id,
                                                                MaintenanceQuery query) {
  ASSIGN_OR_RETURN(query.project, FindProjectKey(store_, project_id));
  return store_.ListMaintenances(query);
}

absl::StatusOr<Maintenance> MaintenanceAdmin::Update(
    const Caller& caller, const ResourceName& name,
    absl::FunctionRef<absl::Status(Maintenance&)> edit, const MaintenanceOptions& options) {
  constexpr MaintenanceKind kind = MaintenanceKind::kMaintenance;
  ASSIGN_OR_RETURN(const ProjectKey project, FindProjectKey(store_, name.project));
  const absl::Time now = clock_.Now();
  bool wakes = false;
  Maintenance result;
  RETURN_IF_ERROR(TransactOrValidate(
      store_, options.validate_only, [&](Transaction& transaction, bool again) -> absl::Status {
        ASSIGN_OR_RETURN(const Maintenance before, Lock(transaction, project, kind, name));
        result = before;
        // An earlier run may have changed the etag.
        if (again && before.updated_at == now) return absl::OkStatus();
        if (!options.etag.empty() && options.etag != EtagOf(before)) {
          return StaleEtag(FullName(before));
        }
        Maintenance after = before;
        RETURN_IF_ERROR(edit(after));
        FillDefaults(after);
        FieldFaults faults;
        ValidateMaintenance(after, "maintenance", faults);
        RETURN_IF_ERROR(faults.ToStatus());
        if (after == before) return absl::OkStatus();
        after.updated_at = now;
        ASSIGN_OR_RETURN(after.version, transaction.SaveMaintenance(after));
        if (const auto forgotten = WhatIsForgotten(before, after, now)) {
          RETURN_IF_ERROR(transaction.InsertMaintenance(*forgotten).status());
        }
        wakes = !IsAboutTheSame(before, after) || !HasTheSameWindows(before, after);
        if (wakes) {
          RETURN_IF_ERROR(transaction.NoteWake(project, NamedByEither(before, after)));
        }
        RETURN_IF_ERROR(
            WriteAudit(transaction, caller, ResourceOf(before), ChangesOf(&before, &after), now));
        result = std::move(after);
        return absl::OkStatus();
      }));
  if (options.validate_only) {
    result.version = 0;
  } else if (wakes) {
    WakeSweeps();
  }
  return result;
}

absl::Status MaintenanceAdmin::Delete(const Caller& caller, MaintenanceKind kind,
                                      const ResourceName& name, const MaintenanceOptions& options) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProjectKey(store_, name.project));
  const absl::Time now = clock_.Now();
  RETURN_IF_ERROR(TransactOrValidate(
      store_, options.validate_only, [&](Transaction& transaction, bool again) -> absl::Status {
        const absl::StatusOr<Maintenance> found = Lock(transaction, project, kind, name);
        if (again && absl::IsNotFound(found.status())) return absl::OkStatus();
        RETURN_IF_ERROR(found.status());
        if (!options.etag.empty() && options.etag != EtagOf(*found)) {
          return StaleEtag(FullName(*found));
        }
        if (WindowBegunBy(*found, now).has_value()) {
          Maintenance deleted = *found;
          deleted.deleted_at = now;
          RETURN_IF_ERROR(transaction.SaveMaintenance(deleted).status());
        } else {
          RETURN_IF_ERROR(transaction.DeleteMaintenance(found->key));
        }
        RETURN_IF_ERROR(transaction.NoteWake(project, NamedByEither(*found, *found)));
        return WriteAudit(transaction, caller, ResourceOf(*found), ChangesOf(&*found, nullptr),
                          now);
      }));
  if (!options.validate_only) WakeSweeps();
  return absl::OkStatus();
}

void MaintenanceAdmin::WakeSweeps() {
  const absl::Time until = clock_.Now() + kWaitedFor;
  for (int part = 0; part < kPartsWaitedFor && clock_.Now() < until; ++part) {
    const absl::StatusOr<bool> woken = store_.WakeSweeps(kWokenTogether, clock_.Now());
    // What fails, or is left, is done soon by whoever looks for it from time to time.
    if (!woken.ok() || !*woken) return;
  }
}

}  // namespace tocsin::core
