// How a monitor is made, once for each request.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "common/status_details.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/transition.h"
#include "services/core/domain/validate.h"
#include "services/core/engine/audit_writer.h"
#include "services/core/engine/held_project.h"
#include "services/core/engine/known_transaction.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/engine/monitor_lookup.h"
#include "services/core/engine/repeatable_request.h"

namespace tocsin::core {
namespace {

// As it is at `at`, before it has a key and a version.
Monitor NewMonitor(MonitorDefinition definition, absl::Time at) {
  definition.key = 0;
  definition.version = 0;
  definition.created_at = at;
  definition.updated_at = at;
  definition.deleted_at.reset();
  Monitor monitor = {.definition = std::move(definition), .state = {}};
  monitor.state.changed_at = at;
  if (monitor.definition.arm_on_create) monitor.state.armed_at = at;
  return monitor;
}

absl::Status AlreadyExists(const Monitor& existing) {
  const std::string name = FullName(existing.definition);
  const absl::Status status = MonitorAlreadyExists(name);
  if (!existing.definition.deleted_at.has_value()) return status;
  return WithMessage(status, absl::StrCat(name,
                                          " exists already: it is deleted, and can be undeleted "
                                          "until 30 days after its deletion"));
}

// Whether an earlier run of this creation made it.
absl::StatusOr<bool> IsOurs(Transaction& transaction, const Monitor& existing,
                            const MonitorDefinition& wanted, const std::optional<TokenHash>& token,
                            absl::Time now) {
  if (existing.definition.created_at != wanted.created_at) return false;
  if (!token.has_value()) return !existing.definition.deleted_at.has_value();
  ASSIGN_OR_RETURN(const auto matches, transaction.ResolveTokens({&*token, 1}, now));
  return matches.front().has_value() && matches.front()->monitor == existing.definition.key;
}

}  // namespace

absl::StatusOr<CreatedMonitor> MonitorAdmin::Create(const Caller& caller,
                                                    MonitorDefinition definition,
                                                    const CreationOptions& options) {
  FillDefaults(definition);
  FieldFaults faults;
  ValidateResourceId(definition.id, "monitor_id", faults);
  ValidateMonitor(definition, "monitor", faults);
  RETURN_IF_ERROR(faults.ToStatus());
  ASSIGN_OR_RETURN(definition.project, FindProjectKey(store_, definition.project_id));

  const absl::Time now = clock_.Now();
  const AuditedResource resource = {.project = definition.project,
                                    .project_id = definition.project_id,
                                    .name = FullName(definition)};
  // What is only checked is not remembered.
  const RepeatableRequest request(caller,
                                  options.validate_only ? RequestIdentity() : options.request,
                                  resource.name, sealer_, now);
  std::optional<TokenHash> hash = options.token_hash;
  std::string token;
  if (!hash.has_value() && !options.without_token && !options.validate_only) {
    token = request.derives() ? request.PushToken() : tokens_();
    hash = Sha256(token);
  }
  const Monitor monitor = NewMonitor(std::move(definition), now);

  CreatedMonitor created;
  RETURN_IF_ERROR(TransactOrValidate(
      store_, options.validate_only, [&](Transaction& transaction, bool again) -> absl::Status {
        created = {.view = {.monitor = monitor, .last_heartbeat = std::nullopt},
                   .push_token = token};
        MonitorDefinition& made = created.view.monitor.definition;
        ASSIGN_OR_RETURN(const std::optional<RequestRecord> earlier, request.Claim(transaction));
        if (earlier.has_value()) {
          created.view.monitor = NewMonitor(monitor.definition, earlier->at);
          made.version = earlier->version;
          const bool own = again && earlier->at == now;
          if (!own && !token.empty()) {
            created.push_token = request.PushTokenOf(*earlier).value_or("");
          }
          return absl::OkStatus();
        }
        RETURN_IF_ERROR(HoldProject(transaction, made.project, made.project_id));
        ASSIGN_OR_RETURN(const std::optional<MonitorKey> key,
                         transaction.FindMonitor(made.project, made.id));
        if (key.has_value()) {
          ASSIGN_OR_RETURN(Monitor existing, LockByKey(transaction, *key, resource.name));
          if (!again) return AlreadyExists(existing);
          ASSIGN_OR_RETURN(const bool ours, IsOurs(transaction, existing, made, hash, now));
          if (!ours) return AlreadyExists(existing);
          created.view.monitor = std::move(existing);
          return absl::OkStatus();
        }
        RETURN_IF_ERROR(CheckNamedChannels(transaction, made.project, made.channels));
        const absl::StatusOr<MonitorIdentity> identity =
            transaction.InsertMonitor(monitor, SweepAt(made, monitor.state));
        // Somebody else was quicker.
        if (absl::IsAlreadyExists(identity.status())) return MonitorAlreadyExists(resource.name);
        RETURN_IF_ERROR(identity.status());
        made.key = identity->key;
        made.version = identity->version;
        if (hash.has_value()) {
          RETURN_IF_ERROR(AddFreshToken(transaction, made.key, *hash, now));
        }
        RETURN_IF_ERROR(request.Made(transaction, made.version));
        return WriteAudit(transaction, caller, resource, ChangesOf(nullptr, &created.view.monitor),
                          now);
      }));
  if (options.validate_only) created.view.monitor.definition.version = 0;
  return created;
}

}  // namespace tocsin::core
