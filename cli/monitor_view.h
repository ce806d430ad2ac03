// What people see of monitors.
#pragma once

#include <string>

#include "cli/table.h"
#include "tocsin/v1/monitor_service.pb.h"

namespace tocsin::cli {

// "every 1m30s, grace 5s", "0 2 * * * Europe/Paris, grace 5m".
std::string ScheduleWords(const v1::Schedule& schedule);
std::string ScheduleWords(const v1::CronSchedule& cron);

// Everything that is known of one, a line each.
Table MonitorTable(const v1::Monitor& monitor);

// One on a line.
Table MonitorsTable(const v1::ListMonitorsResponse& monitors);

// When a cron schedule fires.
Table FireTimesTable(const v1::PreviewScheduleResponse& preview);

}  // namespace tocsin::cli
