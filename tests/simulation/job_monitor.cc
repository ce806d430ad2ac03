// What a simulated job is judged by.
#include <algorithm>
#include <cmath>
#include <iterator>

#include "services/core/domain/time_zone.h"
#include "services/core/domain/validate.h"
#include "tests/simulation/job.h"

namespace tocsin::core::simulation {
namespace {

constexpr const char* kExpressions[] = {"*/5 * * * *",   "*/20 8-18 * * *", "7 * * * *",
                                        "30 2,14 * * *", "45 2 * * *",      "0 6 * * mon-fri"};
constexpr const char* kZones[] = {"UTC", "Europe/Paris", "America/New_York"};

absl::Duration Milliseconds(absl::Duration length) {
  return absl::Trunc(length, absl::Milliseconds(1));
}

}  // namespace

void Job::DrawSchedule() {
  Schedule& schedule = monitor_.schedule;
  schedule = Schedule();
  if (Chance(40)) {
    const std::string expression = kExpressions[random_() % std::size(kExpressions)];
    schedule.cron = CronRule{.expression = *CronExpression::Parse(expression),
                             .zone = *FindTimeZone(kZones[random_() % std::size(kZones)])};
    if (Chance(30)) schedule.cron->early_tolerance = Between(absl::Seconds(1), absl::Minutes(2));
    schedule.grace = Between(absl::Seconds(20), absl::Minutes(4));
    return;
  }
  const double magnitude = std::uniform_real_distribution<double>(0, 11)(random_);
  schedule.timeout = Milliseconds(absl::Seconds(std::exp2(magnitude) * 5));  // 5 s to 3 h
  schedule.recommended_interval =
      Chance(50) ? schedule.timeout : Between(schedule.timeout / 10, schedule.timeout);
  schedule.grace = Chance(50) ? absl::ZeroDuration() : Between(absl::Seconds(1), schedule.timeout);
}

void Job::DrawRules() {
  monitor_.failure_threshold = Chance(70) ? 1 : Chance(50) ? 2 : 3;
  monitor_.recovery_threshold = Chance(70) ? 1 : 2;
  if (Chance(30)) monitor_.value_max = 100;
  if (Chance(30)) monitor_.max_run_duration = DrawRunLimit();
}

absl::Duration Job::DrawRunLimit() {
  return Between(absl::Seconds(20), std::max(absl::Minutes(1), Period() / 2));
}

absl::Time Job::Fire(absl::Time after) const {
  const CronRule& rule = *monitor_.schedule.cron;
  return rule.expression.Next(after, rule.zone);
}

absl::Duration Job::Period() const {
  if (!monitor_.schedule.cron.has_value()) return monitor_.schedule.timeout;
  const absl::Time fire = Fire(now_);
  return Fire(fire) - fire;
}

}  // namespace tocsin::core::simulation
