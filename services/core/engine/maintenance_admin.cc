// What people do with maintenances.
#include "services/core/engine/maintenance_admin.h"

#include <optional>
#include <utility>

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

std::string FullName(const Maintenance& maintenance) {
  return MaintenanceName(maintenance.project_id, maintenance.id);
}

AuditedResource ResourceOf(const Maintenance& maintenance) {
  return {.project = maintenance.project,
          .project_id = maintenance.project_id,
          .name = FullName(maintenance)};
}

absl::StatusOr<Maintenance> Lock(Transaction& transaction, ProjectKey project,
                                 const ResourceName& name) {
  ASSIGN_OR_RETURN(std::optional<Maintenance> found, transaction.LockMaintenance(project, name.id));
  if (!found.has_value()) return MaintenanceNotFound(MaintenanceName(name.project, name.id));
  return *std::move(found);
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
  ValidateResourceId(maintenance.id, "maintenance_id", faults);
  ValidateMaintenance(maintenance, "maintenance", faults);
  RETURN_IF_ERROR(faults.ToStatus());
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
          made.version = earlier->version;
          return absl::OkStatus();
        }
        RETURN_IF_ERROR(HoldProject(transaction, maintenance.project, maintenance.project_id));
        ASSIGN_OR_RETURN(std::optional<Maintenance> existing,
                         transaction.LockMaintenance(maintenance.project, maintenance.id));
        if (existing.has_value()) {
          if (!again || existing->created_at != now) {
            return MaintenanceAlreadyExists(FullName(maintenance));
          }
          made = *std::move(existing);
          return absl::OkStatus();
        }
        ASSIGN_OR_RETURN(const int64_t count, transaction.CountMaintenances(maintenance.project));
        if (count >= kMaxMaintenances) {
          return TooManyMaintenances(ProjectName(maintenance.project_id), kMaxMaintenances);
        }
        absl::StatusOr<Maintenance> inserted = transaction.InsertMaintenance(maintenance);
        // Somebody else was quicker.
        if (absl::IsAlreadyExists(inserted.status())) {
          return MaintenanceAlreadyExists(FullName(maintenance));
        }
        RETURN_IF_ERROR(inserted.status());
        made = *std::move(inserted);
        RETURN_IF_ERROR(request.Made(transaction, made.version));
        return WriteAudit(transaction, caller, ResourceOf(made), ChangesOf(nullptr, &made), now);
      }));
  if (options.validate_only) made.version = 0;
  return made;
}

absl::StatusOr<Maintenance> MaintenanceAdmin::Get(const ResourceName& name) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProjectKey(store_, name.project));
  Maintenance found;
  RETURN_IF_ERROR(
      store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
        ASSIGN_OR_RETURN(found, Lock(transaction, project, name));
        return absl::OkStatus();
      }));
  return found;
}

absl::StatusOr<std::vector<Maintenance>> MaintenanceAdmin::List(const std::string& project_id,
                                                                const std::string& after_id,
                                                                int limit) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProjectKey(store_, project_id));
  return store_.ListMaintenances({.project = project, .after_id = after_id, .limit = limit});
}

absl::StatusOr<Maintenance> MaintenanceAdmin::Update(const Caller& caller, const ResourceName& name,
                                                     absl::FunctionRef<void(Maintenance&)> edit,
                                                     const MaintenanceOptions& options) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProjectKey(store_, name.project));
  const absl::Time now = clock_.Now();
  Maintenance result;
  RETURN_IF_ERROR(TransactOrValidate(
      store_, options.validate_only, [&](Transaction& transaction, bool again) -> absl::Status {
        ASSIGN_OR_RETURN(const Maintenance before, Lock(transaction, project, name));
        result = before;
        // An earlier run may have changed the etag.
        if (again && before.updated_at == now) return absl::OkStatus();
        if (!options.etag.empty() && options.etag != EtagOf(before)) {
          return StaleEtag(FullName(before));
        }
        Maintenance after = before;
        edit(after);
        FillDefaults(after);
        FieldFaults faults;
        ValidateMaintenance(after, "maintenance", faults);
        RETURN_IF_ERROR(faults.ToStatus());
        if (after == before) return absl::OkStatus();
        after.updated_at = now;
        ASSIGN_OR_RETURN(after.version, transaction.SaveMaintenance(after));
        RETURN_IF_ERROR(transaction.WakeSweeps(project, now));
        RETURN_IF_ERROR(
            WriteAudit(transaction, caller, ResourceOf(before), ChangesOf(&before, &after), now));
        result = std::move(after);
        return absl::OkStatus();
      }));
  if (options.validate_only) result.version = 0;
  return result;
}

absl::Status MaintenanceAdmin::Delete(const Caller& caller, const ResourceName& name,
                                      const MaintenanceOptions& options) {
  ASSIGN_OR_RETURN(const ProjectKey project, FindProjectKey(store_, name.project));
  const absl::Time now = clock_.Now();
  return TransactOrValidate(
      store_, options.validate_only, [&](Transaction& transaction, bool again) -> absl::Status {
        const absl::StatusOr<Maintenance> found = Lock(transaction, project, name);
        if (again && absl::IsNotFound(found.status())) return absl::OkStatus();
        RETURN_IF_ERROR(found.status());
        if (!options.etag.empty() && options.etag != EtagOf(*found)) {
          return StaleEtag(FullName(*found));
        }
        RETURN_IF_ERROR(transaction.DeleteMaintenance(found->key));
        RETURN_IF_ERROR(transaction.WakeSweeps(project, now));
        return WriteAudit(transaction, caller, ResourceOf(*found), ChangesOf(&*found, nullptr),
                          now);
      });
}

}  // namespace tocsin::core
