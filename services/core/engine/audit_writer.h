// Adds entries to the audit log, in the transaction of what they tell.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/core/domain/audit.h"
#include "services/core/domain/caller.h"
#include "services/core/store/transaction.h"

namespace tocsin::core {

// The resource that was changed, and where it lies.
struct AuditedResource {
  ProjectKey project = 0;
  std::string project_id;
  std::string name;  // full
};

// Writes an entry; none when nothing changed.
absl::Status WriteAudit(Transaction& transaction, const Caller& caller,
                        const AuditedResource& resource, std::vector<FieldChange> changes,
                        absl::Time now);

}  // namespace tocsin::core
