// Resource names, e.g. `projects/default/monitors/nightly-backup`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "services/core/domain/keys.h"

namespace tocsin::core {

inline constexpr std::string_view kDefaultProject = "default";
// Stands for every project where a request allows it.
inline constexpr std::string_view kAnyProject = "-";

// The last part of a name, and the project it lies in.
struct ResourceName {
  std::string project;
  std::string id;

  friend bool operator==(const ResourceName&, const ResourceName&) = default;
};

// An incident or alert event: its id is its key in decimal.
struct NumberedName {
  std::string project;
  int64_t key = 0;

  friend bool operator==(const NumberedName&, const NumberedName&) = default;
};

std::string ProjectName(std::string_view project);
std::string KeyName(std::string_view project, std::string_view key);
std::string MonitorName(std::string_view project, std::string_view monitor);
std::string ChannelName(std::string_view project, std::string_view channel);
std::string MaintenanceName(std::string_view project, std::string_view maintenance);
std::string MuteName(std::string_view project, std::string_view mute);
std::string DeliveryName(std::string_view project, std::string_view delivery);
std::string IncidentName(std::string_view project, IncidentKey incident);
// `projects/-/auditEntries/…` when there is no project.
std::string AuditEntryName(std::string_view project, int64_t entry);
std::string AlertEventName(std::string_view project, EventKey event);

// Each takes a name and the field of the request that it came in, which the error names:
// INVALID_ARGUMENT. A name that is well-formed and longer than any that exists parses too: it is
// for the store to not find it.

// `projects/{project}`; empty means `projects/default`. `projects/-` parses to kAnyProject only
// where `any_allowed`.
absl::StatusOr<std::string> ParseParent(std::string_view name, std::string_view field,
                                        bool any_allowed = false);
// `projects/{project}`, where empty means nothing.
absl::StatusOr<std::string> ParseProjectName(std::string_view name, std::string_view field);
// The project may be kAnyProject: that of a key of all projects.
absl::StatusOr<ResourceName> ParseKeyName(std::string_view name, std::string_view field);
absl::StatusOr<ResourceName> ParseMonitorName(std::string_view name, std::string_view field);
absl::StatusOr<ResourceName> ParseChannelName(std::string_view name, std::string_view field);
absl::StatusOr<ResourceName> ParseMaintenanceName(std::string_view name, std::string_view field);
absl::StatusOr<ResourceName> ParseMuteName(std::string_view name, std::string_view field);
absl::StatusOr<ResourceName> ParseDeliveryName(std::string_view name, std::string_view field);
absl::StatusOr<NumberedName> ParseIncidentName(std::string_view name, std::string_view field);

}  // namespace tocsin::core
