// The metrics of the engine; made once from an injected registry.
#pragma once

#include <array>
#include <map>
#include <string>

#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "services/core/domain/transition.h"
#include "services/core/store/reads.h"

namespace tocsin::core {

struct RecorderMetrics {
  explicit RecorderMetrics(prometheus::Registry& registry);
  // tocsin_core_heartbeats_total{kind,outcome}; outcome: recorded, paused, stale, duplicate,
  // unknown_token, unavailable, invalid.
  prometheus::Counter& Heartbeats(HeartbeatKind kind, const std::string& outcome);
  prometheus::Family<prometheus::Counter>& heartbeats;
  prometheus::Histogram& group_size;       // tocsin_core_group_size
  prometheus::Histogram& commit_duration;  // tocsin_core_commit_duration_seconds
  prometheus::Counter& fast_path;          // tocsin_core_fast_path_total
  prometheus::Counter& full_path;          // tocsin_core_full_path_total
  prometheus::Counter& in_doubt;           // tocsin_core_in_doubt_groups_total
  prometheus::Gauge& queue;                // tocsin_core_queued_pushes
  prometheus::Gauge& cached_tokens;        // tocsin_core_cached_tokens
  std::array<std::array<prometheus::Counter*, 8>, 5> heartbeat_children{};
};

struct SweeperMetrics {
  explicit SweeperMetrics(prometheus::Registry& registry);
  prometheus::Histogram& lag;  // tocsin_core_sweep_lag_seconds: deadline → decided
  // tocsin_core_transitions_total{to,cause}
  prometheus::Counter& Transitions(State to, const std::string& cause);
  prometheus::Family<prometheus::Counter>& transitions;
  prometheus::Counter& swept;  // tocsin_core_swept_monitors_total
};

struct GuardMetrics {
  explicit GuardMetrics(prometheus::Registry& registry);
  prometheus::Counter& own_outage;  // tocsin_core_own_outage_seconds_total
  prometheus::Gauge& gateways;      // tocsin_core_connected_gateways
  prometheus::Gauge& touch_age;     // tocsin_core_newest_touch_timestamp_seconds
  // tocsin_core_newest_own_outage_timestamp_seconds
  prometheus::Gauge& newest_outage;
};

struct DeliveryMetrics {
  explicit DeliveryMetrics(prometheus::Registry& registry);
  prometheus::Counter& leased;                       // tocsin_core_leased_deliveries_total
  prometheus::Family<prometheus::Counter>& reports;  // tocsin_core_delivery_reports_total{result}
  prometheus::Gauge& notifiers;                      // tocsin_core_connected_notifiers
};

// Facts of the database as a whole, exposed by one replica only.
struct CensusMetrics {
  explicit CensusMetrics(prometheus::Registry& registry);
  // Publishes a census; nullopt (another replica publishes) removes the series.
  void Publish(const Census* census);
  prometheus::Family<prometheus::Gauge>& monitors;    // tocsin_core_monitors{state}
  prometheus::Family<prometheus::Gauge>& incidents;   // tocsin_core_open_incidents
  prometheus::Family<prometheus::Gauge>& deliveries;  // tocsin_core_deliveries{state}
  // tocsin_core_newest_dead_delivery_timestamp_seconds
  prometheus::Family<prometheus::Gauge>& newest_dead;
  prometheus::Family<prometheus::Gauge>& overdue;     // tocsin_core_overdue_deliveries
  prometheus::Family<prometheus::Gauge>& oldest_due;  // tocsin_core_oldest_due_delivery_seconds
  prometheus::Family<prometheus::Gauge>& channels;    // tocsin_core_troubled_channels{state}
  prometheus::Family<prometheus::Gauge>& sweep_lag;   // tocsin_core_oldest_due_sweep_seconds
  prometheus::Family<prometheus::Gauge>& rollup_lag;  // tocsin_core_rollup_lag_seconds
  std::map<std::string, prometheus::Gauge*> shown;
};

}  // namespace tocsin::core
