// What people see of the statistics of a monitor.
#pragma once

#include <string>

#include "tocsin/v1/statistics.pb.h"

namespace tocsin::cli {

// All of it: uptime by window, how heartbeats came as a histogram, and the advice.
std::string StatisticsText(const v1::MonitorStatistics& statistics);

// A sentence on what the timeout (or grace) would have done, and one on a better one. `asked`: it
// is not that of the monitor.
std::string AdviceText(const v1::TimeoutAdvice& advice, bool asked);

}  // namespace tocsin::cli
