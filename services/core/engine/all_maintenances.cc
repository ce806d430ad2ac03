// Every maintenance of a project, read page by page.
#include "services/core/engine/all_maintenances.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "common/status_macros.h"

namespace tocsin::core {

absl::StatusOr<Maintenances> AllMaintenances(Store& store, MaintenanceQuery query) {
  Maintenances all;
  query.after_id.clear();
  query.limit = kMaintenancesAtOnce;
  while (all.size() < kMostMaintenances) {
    ASSIGN_OR_RETURN(std::vector<Maintenance> page, store.ListMaintenances(query));
    const bool is_last = page.size() < static_cast<size_t>(query.limit);
    // An id may have several: a mute, a maintenance, and those of the name that were deleted. Those
    // of the last id may go on behind the page, so that they are left for the next one.
    const auto end =
        is_last ? page.end() : std::find_if(page.begin(), page.end(), [&](const Maintenance& m) {
          return m.id == page.back().id;
        });
    if (end == page.begin() && !is_last) {
      query.limit *= 2;
      continue;
    }
    if (end != page.begin()) query.after_id = std::prev(end)->id;
    all.insert(all.end(), std::make_move_iterator(page.begin()), std::make_move_iterator(end));
    if (is_last) break;
  }
  return all;
}

}  // namespace tocsin::core
