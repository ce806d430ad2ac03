// Adds entries to the audit log.
#include "services/core/engine/audit_writer.h"

#include <utility>

namespace tocsin::core {

absl::Status WriteAudit(Transaction& transaction, const Caller& caller,
                        const AuditedResource& resource, std::vector<FieldChange> changes,
                        absl::Time now) {
  if (changes.empty()) return absl::OkStatus();
  return transaction.AddAudit({.at = now,
                               .caller = caller,
                               .project = resource.project,
                               .project_id = resource.project_id,
                               .resource = resource.name,
                               .changes = std::move(changes)});
}

}  // namespace tocsin::core
