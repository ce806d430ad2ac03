// What every change of a monitor looks up first.
#include "services/core/engine/monitor_lookup.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/names.h"

namespace tocsin::core {

std::string FullName(const MonitorDefinition& definition) {
  return MonitorName(definition.project_id, definition.id);
}

absl::StatusOr<ProjectKey> FindProjectKey(Store& store, const std::string& id) {
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

absl::Status CheckNamedChannels(Transaction& transaction, ProjectKey project,
                                const std::vector<std::string>& named) {
  if (named.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const ChannelList channels, transaction.Channels(project));
  FieldFaults faults;
  for (const std::string& id : named) {
    const bool exists = std::any_of(channels->begin(), channels->end(),
                                    [&](const Channel& channel) { return channel.id == id; });
    if (!exists) {
      faults.Add("monitor.channels", absl::StrCat("the channel \"", id, "\" does not exist"),
                 "channels of the same project");
    }
  }
  return faults.ToStatus();
}

absl::Status AddFreshToken(Transaction& transaction, MonitorKey monitor, const TokenHash& hash,
                           absl::Time now) {
  const absl::Status added = transaction.AddToken(monitor, hash, now);
  return absl::IsAlreadyExists(added) ? PushTokenInUse() : added;
}

}  // namespace tocsin::core
