// Puts something into a project that must not be deleted meanwhile.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/names.h"
#include "services/core/store/transaction.h"

namespace tocsin::core {

// Keeps the project until the transaction ends; ProjectNotFound when it was deleted since it was
// looked up.
inline absl::Status HoldProject(Transaction& transaction, ProjectKey project,
                                const std::string& id) {
  ASSIGN_OR_RETURN(const bool there, transaction.HoldProject(project));
  return there ? absl::OkStatus() : ProjectNotFound(ProjectName(id));
}

}  // namespace tocsin::core
