// What every change of a monitor looks up first.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/domain/monitor.h"
#include "services/core/store/store.h"

namespace tocsin::core {

std::string FullName(const MonitorDefinition& definition);

// ProjectNotFound when there is none of that id.
absl::StatusOr<ProjectKey> FindProjectKey(Store& store, const std::string& id);

// MonitorNotFound when it is gone.
absl::StatusOr<Monitor> LockByKey(Transaction& transaction, MonitorKey key,
                                  const std::string& full_name);

// The channels that a monitor names must exist: InvalidField("monitor.channels").
absl::Status CheckNamedChannels(Transaction& transaction, ProjectKey project,
                                const std::vector<std::string>& named);

// PushTokenInUse for a token that a monitor has, or had.
absl::Status AddFreshToken(Transaction& transaction, MonitorKey monitor, const TokenHash& hash,
                           absl::Time now);

}  // namespace tocsin::core
