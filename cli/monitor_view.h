// What people see of monitors.
#pragma once

#include <string>

#include "cli/table.h"
#include "tocsin/v1/monitor_service.pb.h"

namespace tocsin::cli {

// "every 1m30s, grace 5s", "0 2 * * * Europe/Paris, grace 5m".
std::string ScheduleWords(const v1::Schedule& schedule);
std::string ScheduleWords(const v1::CronSchedule& cron);

// "env=prod,team=payments".
std::string LabelWords(const v1::Monitor& monitor);

// "from 0.5 to 90", "at least 0.5"; empty without bounds.
std::string BoundWords(const v1::Monitor& monitor);

// Everything that is known of one, a line each.
Table MonitorTable(const v1::Monitor& monitor);

// One on a line; wide: also severity, labels, the last message and the display name.
Table MonitorsTable(const v1::ListMonitorsResponse& monitors, bool wide = false);

// When a cron schedule fires.
Table FireTimesTable(const v1::PreviewScheduleResponse& preview);

}  // namespace tocsin::cli
