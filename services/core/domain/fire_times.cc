// Which fire times of a cron rule are expected.
#include "services/core/domain/fire_times.h"

#include <algorithm>

namespace tocsin::core {
namespace {

constexpr absl::Duration kMostEarly = absl::Minutes(1);
constexpr int kPartOfPeriod = 10;

}  // namespace

absl::Duration EarlyTolerance(const CronRule& rule, absl::Time fire) {
  if (rule.early_tolerance.has_value()) return *rule.early_tolerance;
  const absl::Time before = rule.expression.Previous(fire - absl::Nanoseconds(1), rule.zone);
  if (before == absl::InfinitePast()) return kMostEarly;
  return std::min(kMostEarly, (fire - before) / kPartOfPeriod);
}

absl::Time ExpectedFire(const CronRule& rule, absl::Time credit, absl::Time after, int count) {
  absl::Time fire = rule.expression.Next(std::max(credit, after), rule.zone);
  // Tolerances may be long: a heartbeat may satisfy several fire times ahead of it.
  while (fire != absl::InfiniteFuture() && fire - EarlyTolerance(rule, fire) <= credit) {
    fire = rule.expression.Next(fire, rule.zone);
  }
  for (int i = 1; i < count && fire != absl::InfiniteFuture(); ++i) {
    fire = rule.expression.Next(fire, rule.zone);
  }
  return fire;
}

absl::Time LastFireSwallowed(const CronRule& rule, absl::Time fire, absl::Time outage_end,
                             absl::Time now) {
  absl::Time last = std::max(fire, rule.expression.Previous(std::min(outage_end, now), rule.zone));
  absl::Time next = rule.expression.Next(last, rule.zone);
  // Also one that is yet to come: its heartbeat may have been early.
  while (next - EarlyTolerance(rule, next) <= outage_end) {
    last = next;
    next = rule.expression.Next(last, rule.zone);
  }
  return last;
}

}  // namespace tocsin::core
