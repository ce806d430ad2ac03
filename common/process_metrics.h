// The metrics about a process that every Prometheus client library exports.
#pragma once

#include <prometheus/collectable.h>

#include <vector>

namespace tocsin {

// process_cpu_seconds_total, process_resident_memory_bytes, process_start_time_seconds,
// process_open_fds, process_max_fds and process_threads, read from /proc when scraped.
// Thread safe. Give it to AdminServer::AddMetrics.
class ProcessMetrics : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace tocsin
