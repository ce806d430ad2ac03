// The windows of maintenances, computed in a plain way of the test's own, and remembered as they
// were before they were changed.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core::simulation {

// For one thread. Selectors are of one label with its value.
class Calendar {
 public:
  // These are all maintenances there are from `now` on. Returns whether that is news.
  bool Note(const Maintenances& maintenances, absl::Time now);
  // The windows about the monitor that overlap [from, until], of all maintenances there ever were.
  // One that was changed or taken back ended then, for it is the new one that counts.
  GapList Windows(const MonitorDefinition& definition, absl::Time from, absl::Time until) const;
  bool IsOpen(const MonitorDefinition& definition, absl::Time now) const;
  // When a window about the monitor was open last, up to `now`; InfinitePast: never.
  absl::Time OpenUntil(const MonitorDefinition& definition, absl::Time now) const;

 private:
  struct Entry {
    Maintenance maintenance;
    absl::Time until = absl::InfiniteFuture();
  };
  std::vector<Entry> entries_;
};

}  // namespace tocsin::core::simulation
