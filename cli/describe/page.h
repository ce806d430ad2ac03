// Everything that is known of one monitor, on a page. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/describe/routing.h"
#include "cli/terminal.h"
#include "nlohmann/json.hpp"
#include "tocsin/v1/incident_service.pb.h"
#include "tocsin/v1/monitor_service.pb.h"

namespace tocsin::cli {

struct MonitorPage {
  v1::Monitor monitor;
  v1::PreviewScheduleResponse fires;          // without fire times where the schedule is a timeout
  v1::ListHeartbeatsResponse heartbeats;      // the newest ones
  v1::ListIncidentsResponse incidents;        // the newest ones, an open one too
  std::vector<Told> told;                     // who would be
  std::vector<v1::Mute> mutes;                // about it, not ended
  std::vector<v1::Maintenance> maintenances;  // about it, not over
};

std::string PageText(const MonitorPage& page, absl::Time now, bool wide, const Terminal& terminal);

// {"monitor", "fireTimes", "heartbeats", "incidents", "channels": [{"channel", "why"}], "mutes",
// "maintenances"}, each as the API has it.
nlohmann::ordered_json PageJson(const MonitorPage& page);

}  // namespace tocsin::cli
