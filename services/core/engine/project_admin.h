// What people do with projects: create, read, change, delete.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "services/core/domain/caller.h"
#include "services/core/domain/project.h"
#include "services/core/domain/request_identity.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// Changes with every version of the project; opaque to users.
std::string EtagOf(const Project& project);

// Thread-safe. What changes is told to the audit log, in the same transaction. Errors as
// MonitorAdmin. Whether the caller may is for the API to know. With `validate_only` a method checks
// all that can be checked, writes nothing, and returns the project as it would be.
class ProjectAdmin {
 public:
  // `store` and `clock` must outlive it.
  ProjectAdmin(Store& store, const Clock& clock);

  // Of `project`, id and display name count. Faults name fields below "project", and "project_id".
  // ProjectAlreadyExists when the id is taken. A request that repeats an earlier one (see
  // RequestIdentity) makes nothing and is answered as that one was.
  absl::StatusOr<Project> Create(const Caller& caller, Project project, bool validate_only,
                                 const RequestIdentity& identity = {});
  absl::StatusOr<Project> Get(const std::string& id);
  // In order of id, after `after_id`; at most `limit`.
  absl::StatusOr<std::vector<Project>> List(const std::string& after_id, int limit);
  // Applies `edit`, which may be called several times and must touch the display name only. An
  // `etag` that is not empty must be that of the project: StaleEtag.
  absl::StatusOr<Project> Update(const Caller& caller, const std::string& id, std::string_view etag,
                                 absl::FunctionRef<absl::Status(Project&)> edit,
                                 bool validate_only);
  // Its keys end with it. ProjectInUse while it has monitors or channels that are not deleted.
  absl::Status Delete(const Caller& caller, const std::string& id, std::string_view etag,
                      bool allow_missing);

 private:
  Store& store_;
  const Clock& clock_;
};

}  // namespace tocsin::core
