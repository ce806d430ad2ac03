// Resource names, e.g. `projects/default/monitors/nightly-backup`.
#include "services/core/domain/names.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/any_string_view.h"
#include "common/status_macros.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/text.h"

namespace tocsin::core {
namespace {

std::string Join(std::string_view project, absl::string_view collection, std::string_view id) {
  return absl::StrCat("projects/", AnyStringView(project).absl(), "/", collection, "/",
                      AnyStringView(id).absl());
}

// How much of a name that is none is repeated.
constexpr size_t kMaxShownBytes = 128;

absl::Status Malformed(std::string_view name, std::string_view field, absl::string_view form) {
  if (name.empty()) return InvalidField(field, "missing", AnyStringView(form).std());
  return InvalidField(field,
                      absl::StrCat("\"", CleanText(name, kMaxShownBytes), "\" is no such name"),
                      AnyStringView(form).std());
}

// `collection` is the third part, `form` what an error says is accepted.
absl::StatusOr<ResourceName> Parse(std::string_view name, std::string_view field,
                                   absl::string_view collection, absl::string_view form,
                                   bool any_allowed = false) {
  const std::vector<std::string> parts =
      absl::StrSplit(AnyStringView(name).absl(), absl::MaxSplits('/', 4));
  if (parts.size() != 4 || parts[0] != "projects" || parts[1].empty() ||
      (parts[1] == kAnyProject && !any_allowed) || parts[2] != collection || parts[3].empty() ||
      !IsCleanText(name)) {
    return Malformed(name, field, form);
  }
  return ResourceName{.project = parts[1], .id = parts[3]};
}

}  // namespace

std::string ProjectName(std::string_view project) {
  return absl::StrCat("projects/", AnyStringView(project).absl());
}

std::string KeyName(std::string_view project, std::string_view key) {
  return Join(project, "keys", key);
}

std::string MonitorName(std::string_view project, std::string_view monitor) {
  return Join(project, "monitors", monitor);
}

std::string ChannelName(std::string_view project, std::string_view channel) {
  return Join(project, "channels", channel);
}

std::string MuteName(std::string_view project, std::string_view mute) {
  return Join(project, "mutes", mute);
}

std::string MaintenanceName(std::string_view project, std::string_view maintenance) {
  return Join(project, "maintenances", maintenance);
}

std::string DeliveryName(std::string_view project, std::string_view delivery) {
  return Join(project, "deliveries", delivery);
}

std::string IncidentName(std::string_view project, IncidentKey incident) {
  return Join(project, "incidents", std::to_string(incident));
}

std::string AuditEntryName(std::string_view project, int64_t entry) {
  return Join(project.empty() ? kAnyProject : project, "auditEntries", std::to_string(entry));
}

std::string AlertEventName(std::string_view project, EventKey event) {
  return Join(project, "alertEvents", std::to_string(event));
}

absl::StatusOr<std::string> ParseParent(std::string_view name, std::string_view field,
                                        bool any_allowed) {
  if (name.empty()) return std::string(kDefaultProject);
  const std::vector<std::string> parts =
      absl::StrSplit(AnyStringView(name).absl(), absl::MaxSplits('/', 2));
  if (parts.size() != 2 || parts[0] != "projects" || parts[1].empty() || !IsCleanText(name) ||
      (parts[1] == kAnyProject && !any_allowed)) {
    return Malformed(
        name, field,
        any_allowed ? "projects/{project}, or projects/- for all" : "projects/{project}");
  }
  return parts[1];
}

absl::StatusOr<std::string> ParseProjectName(std::string_view name, std::string_view field) {
  if (name.empty()) return Malformed(name, field, "projects/{project}");
  return ParseParent(name, field);
}

absl::StatusOr<ResourceName> ParseKeyName(std::string_view name, std::string_view field) {
  return Parse(name, field, "keys", "projects/{project}/keys/{key}, or projects/-/keys/{key}",
               /*any_allowed=*/true);
}

absl::StatusOr<ResourceName> ParseMonitorName(std::string_view name, std::string_view field) {
  return Parse(name, field, "monitors", "projects/{project}/monitors/{monitor}");
}

absl::StatusOr<ResourceName> ParseChannelName(std::string_view name, std::string_view field) {
  return Parse(name, field, "channels", "projects/{project}/channels/{channel}");
}

absl::StatusOr<ResourceName> ParseMuteName(std::string_view name, std::string_view field) {
  return Parse(name, field, "mutes", "projects/{project}/mutes/{mute}");
}

absl::StatusOr<ResourceName> ParseMaintenanceName(std::string_view name, std::string_view field) {
  return Parse(name, field, "maintenances", "projects/{project}/maintenances/{maintenance}");
}

absl::StatusOr<ResourceName> ParseDeliveryName(std::string_view name, std::string_view field) {
  return Parse(name, field, "deliveries", "projects/{project}/deliveries/{delivery}");
}

absl::StatusOr<NumberedName> ParseIncidentName(std::string_view name, std::string_view field) {
  constexpr absl::string_view kForm = "projects/{project}/incidents/{incident}";
  ASSIGN_OR_RETURN(ResourceName parsed, Parse(name, field, "incidents", kForm));
  NumberedName numbered = {.project = parsed.project};
  if (!absl::SimpleAtoi(parsed.id, &numbered.key) || numbered.key <= 0 ||
      std::to_string(numbered.key) != parsed.id) {
    return Malformed(name, field, kForm);
  }
  return numbered;
}

}  // namespace tocsin::core
