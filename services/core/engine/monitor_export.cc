// One project after another, one page after another.
#include "services/core/engine/monitor_export.h"

#include <optional>

#include "common/status_macros.h"
#include "services/core/domain/deadline.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/names.h"
#include "services/core/domain/tell_time.h"
#include "services/core/engine/all_maintenances.h"
#include "services/core/engine/monitor_lookup.h"

namespace tocsin::core {
namespace {

constexpr int kProjects = 100;

}  // namespace

MonitorExport::MonitorExport(Store& store, MonitorFilter filter, std::string project_id)
    : store_(store), project_id_(std::move(project_id)) {
  query_.filter = std::move(filter);
  query_.limit = kPage;
}

absl::Status MonitorExport::FindProjects() {
  if (project_id_ != kAnyProject) {
    if (begun_) return absl::OkStatus();
    ASSIGN_OR_RETURN(const ProjectKey key, FindProjectKey(store_, project_id_));
    projects_.emplace_back(key, project_id_);
  } else {
    ASSIGN_OR_RETURN(const std::vector<Project> found,
                     store_.ListProjects({.after_id = last_project_, .limit = kProjects}));
    for (const Project& project : found) projects_.emplace_back(project.key, project.id);
    more_projects_ = found.size() == static_cast<size_t>(kProjects);
    if (!found.empty()) last_project_ = found.back().id;
  }
  begun_ = true;
  return absl::OkStatus();
}

absl::StatusOr<ExportedPage> MonitorExport::Next(const GapList& gaps, absl::Time now) {
  ExportedPage page;
  if (projects_.empty()) RETURN_IF_ERROR(FindProjects());
  if (projects_.empty()) return page;  // the last ones were deleted meanwhile
  query_.project = projects_.front().first;
  page.project_id = projects_.front().second;
  ASSIGN_OR_RETURN(MonitorPage found, store_.ListMonitors(query_));
  Maintenances maintenances;
  if (!found.monitors.empty()) {
    // As the sweeper has them: also those that were ended early.
    ASSIGN_OR_RETURN(maintenances, AllMaintenances(store_, {.project = query_.project,
                                                            .after_id = "",
                                                            .with_deleted = true,
                                                            .mutes_open_after = now}));
  }
  page.monitors.reserve(found.monitors.size());
  for (MonitorView& view : found.monitors) {
    const auto& [definition, state] = view.monitor;
    GapList with_windows;
    if (!maintenances.empty()) {
      with_windows = WithMaintenances(gaps, maintenances, definition, state, now);
    }
    const GapList& all = maintenances.empty() ? gaps : with_windows;
    const absl::Time deadline = DeadlineOf(definition, state, all).at;
    const bool silenced = SilentUntil(state, all, now).has_value();
    page.monitors.push_back({.view = std::move(view), .deadline = deadline, .silenced = silenced});
  }
  query_.after = found.next;
  query_.walk = found.walk && found.next.has_value();
  if (!found.next.has_value()) projects_.pop_front();
  return page;
}

}  // namespace tocsin::core
