// All monitors that match a filter, page by page: what metrics of each monitor are made from.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/monitor_filter.h"
#include "services/core/domain/project.h"
#include "services/core/store/store.h"

namespace tocsin::core {

struct ExportedMonitor {
  MonitorView view;
  absl::Time deadline =
      absl::InfiniteFuture();  // as DeadlineOf says; InfiniteFuture: nothing is due
  bool silenced = false;       // as SilentUntil says
};

struct ExportedPage {
  std::string project_id;
  std::vector<ExportedMonitor> monitors;  // in order of id; there may be none
};

// Holds no more than one page. Each page is what the store has at that moment: a monitor is in one
// page at most, one that is made or deleted meanwhile is there or not. Not thread-safe.
class MonitorExport {
 public:
  // The most monitors of a page.
  static constexpr int kPage = 1000;

  // Of the project of that id, or of all with kAnyProject, in order of id. `store` must outlive it.
  MonitorExport(Store& store, MonitorFilter filter, std::string project_id);

  // Whether there is no further page.
  bool done() const { return begun_ && projects_.empty() && !more_projects_; }
  // The next page, with deadlines as they are at `now`; `gaps` as for DeadlineOf. ProjectNotFound
  // when the one project does not exist; what the store says. Not when done.
  absl::StatusOr<ExportedPage> Next(const GapList& gaps, absl::Time now);

 private:
  // Fills projects_ as far as there are any.
  absl::Status FindProjects();

  Store& store_;
  const std::string project_id_;
  bool begun_ = false;
  // Those whose monitors are still to come, the current one first, and whether there are more.
  std::deque<std::pair<ProjectKey, std::string>> projects_;
  bool more_projects_ = false;
  std::string last_project_;
  MonitorQuery query_;  // of the current project
};

}  // namespace tocsin::core
