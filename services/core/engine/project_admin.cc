// What people do with projects: create, read, change, delete.
#include "services/core/engine/project_admin.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/names.h"
#include "services/core/domain/validate.h"
#include "services/core/engine/audit_writer.h"
#include "services/core/engine/known_transaction.h"
#include "services/core/engine/repeatable_request.h"

namespace tocsin::core {
namespace {

absl::StatusOr<Project> LockProject(Transaction& transaction, const std::string& id,
                                    std::string_view etag) {
  ASSIGN_OR_RETURN(std::optional<Project> project, transaction.LockProject(id));
  if (!project.has_value()) return ProjectNotFound(ProjectName(id));
  if (!etag.empty() && etag != EtagOf(*project)) return StaleEtag(ProjectName(id));
  return *std::move(project);
}

// What the audit log says; nullptr: there is no such project then.
absl::Status Tell(Transaction& transaction, const Caller& caller, const Project* before,
                  const Project* after, absl::Time now) {
  const Project& project = after != nullptr ? *after : *before;
  return WriteAudit(
      transaction, caller,
      {.project = project.key, .project_id = project.id, .name = ProjectName(project.id)},
      ChangesOf(before, after), now);
}

}  // namespace

std::string EtagOf(const Project& project) { return absl::StrCat(absl::Hex(project.version)); }

ProjectAdmin::ProjectAdmin(Store& store, const Clock& clock) : store_(store), clock_(clock) {}

absl::StatusOr<Project> ProjectAdmin::Create(const Caller& caller, Project project,
                                             bool validate_only, const RequestIdentity& identity) {
  FillDefaults(project);
  FieldFaults faults;
  ValidateResourceId(project.id, "project_id", faults);
  ValidateProject(project, "project", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  project.key = 0;
  project.version = 0;
  project.created_at = project.updated_at = clock_.Now();
  const absl::Time now = *project.created_at;
  // What is only checked is not remembered.
  const RepeatableRequest request(caller, validate_only ? RequestIdentity() : identity,
                                  ProjectName(project.id), nullptr, now);
  Project made;
  RETURN_IF_ERROR(TransactUntilKnown(
      store_, TransactionClass::kAdmin, [&](Transaction& transaction, bool again) -> absl::Status {
        ASSIGN_OR_RETURN(const std::optional<RequestRecord> earlier, request.Claim(transaction));
        if (earlier.has_value()) {
          made = project;
          made.created_at = made.updated_at = earlier->at;
          made.version = earlier->version;
          return absl::OkStatus();
        }
        ASSIGN_OR_RETURN(std::optional<Project> existing, transaction.LockProject(project.id));
        if (existing.has_value()) {
          if (!again || existing->created_at != project.created_at) {
            return ProjectAlreadyExists(ProjectName(project.id));
          }
          made = *std::move(existing);
          return absl::OkStatus();
        }
        made = project;
        if (validate_only) return absl::OkStatus();
        const absl::StatusOr<ProjectIdentity> added = transaction.InsertProject(project);
        if (absl::IsAlreadyExists(added.status())) {
          return ProjectAlreadyExists(ProjectName(project.id));
        }
        RETURN_IF_ERROR(added.status());
        made.key = added->key;
        made.version = added->version;
        RETURN_IF_ERROR(Tell(transaction, caller, nullptr, &made, now));
        return request.Made(transaction, made.version);
      }));
  return made;
}

absl::StatusOr<Project> ProjectAdmin::Get(const std::string& id) {
  ASSIGN_OR_RETURN(std::optional<Project> project, store_.ReadProject(id));
  if (!project.has_value()) return ProjectNotFound(ProjectName(id));
  return *std::move(project);
}

absl::StatusOr<std::vector<Project>> ProjectAdmin::List(const std::string& after_id, int limit) {
  return store_.ListProjects({.after_id = after_id, .limit = limit});
}

absl::StatusOr<Project> ProjectAdmin::Update(const Caller& caller, const std::string& id,
                                             std::string_view etag,
                                             absl::FunctionRef<absl::Status(Project&)> edit,
                                             bool validate_only) {
  const absl::Time now = clock_.Now();
  Project result;
  RETURN_IF_ERROR(TransactUntilKnown(
      store_, TransactionClass::kAdmin, [&](Transaction& transaction, bool again) -> absl::Status {
        // An earlier run may have changed the etag.
        ASSIGN_OR_RETURN(const Project before,
                         LockProject(transaction, id, again ? std::string_view() : etag));
        Project after = before;
        RETURN_IF_ERROR(edit(after));
        FillDefaults(after);
        FieldFaults faults;
        ValidateProject(after, "project", faults);
        RETURN_IF_ERROR(faults.ToStatus());
        if (after.display_name != before.display_name) {
          after.updated_at = now;
          if (!validate_only) {
            ASSIGN_OR_RETURN(after.version, transaction.SaveProject(after));
            RETURN_IF_ERROR(Tell(transaction, caller, &before, &after, now));
          }
        }
        result = std::move(after);
        return absl::OkStatus();
      }));
  return result;
}

absl::Status ProjectAdmin::Delete(const Caller& caller, const std::string& id,
                                  std::string_view etag, bool allow_missing) {
  const absl::Time now = clock_.Now();
  return TransactUntilKnown(
      store_, TransactionClass::kAdmin, [&](Transaction& transaction, bool again) -> absl::Status {
        const absl::StatusOr<Project> project = LockProject(transaction, id, etag);
        if (absl::IsNotFound(project.status()) && (again || allow_missing)) return absl::OkStatus();
        RETURN_IF_ERROR(project.status());
        if (id == kDefaultProject) return ProjectIsDefault(ProjectName(id));
        ASSIGN_OR_RETURN(const bool in_use, transaction.IsInUse(project->key));
        if (in_use) return ProjectInUse(ProjectName(id));
        RETURN_IF_ERROR(Tell(transaction, caller, &*project, nullptr, now));
        return transaction.DeleteProject(project->key, now);
      });
}

}  // namespace tocsin::core
