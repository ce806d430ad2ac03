// When heartbeats are expected.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "services/core/domain/cron.h"
#include "services/core/domain/time_zone.h"

namespace tocsin::core {

// Each fire time expects one heartbeat.
struct CronRule {
  CronExpression expression;
  NamedZone zone;
  // So long before a fire time a heartbeat satisfies it already. nullopt: min(1 min, 10 % of the
  // time since the fire time before).
  std::optional<absl::Duration> early_tolerance{};

  friend bool operator==(const CronRule& a, const CronRule& b) {
    return a.expression == b.expression && a.zone.name() == b.zone.name() &&
           a.early_tolerance == b.early_tolerance;
  }
};

// Either one heartbeat at least every `timeout`, or one for each fire time of a cron rule; then
// `timeout` and `recommended_interval` are zero and say nothing.
struct Schedule {
  absl::Duration timeout;               // 1 s to 366 days
  absl::Duration recommended_interval;  // > 0, at most the timeout
  absl::Duration grace;                 // 0 to 366 days; with cron more than 0
  std::optional<CronRule> cron{};

  friend bool operator==(const Schedule&, const Schedule&) = default;
};

}  // namespace tocsin::core
