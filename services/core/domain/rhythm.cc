// The rhythm in which the heartbeats of a job came.
#include "services/core/domain/rhythm.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "services/core/domain/distribution.h"
#include "services/core/domain/fire_times.h"
#include "services/core/domain/validate.h"

namespace tocsin::core {
namespace {

constexpr int kOutageTimes = 3;
constexpr double kMargin = 1.1;

// How long nothing may come until it counts.
absl::Duration Allowed(const MonitorDefinition& definition) {
  const Schedule& schedule = definition.schedule;
  return definition.failure_threshold * schedule.timeout + schedule.grace;
}

// From when on a heartbeat satisfies the schedule.
absl::Time CreditOf(const MonitorDefinition& definition, const Signal& signal) {
  const bool by_start =
      definition.max_run_duration > absl::ZeroDuration() && signal.run_duration.has_value();
  return by_start ? signal.at - *signal.run_duration : signal.at;
}

std::optional<absl::Duration> LatenessOf(const CronRule& rule, absl::Time before,
                                         absl::Time credit) {
  const absl::Time fire = ExpectedFire(rule, before, absl::InfinitePast(), 1);
  if (fire == absl::InfiniteFuture() || credit < fire - EarlyTolerance(rule, fire)) {
    return std::nullopt;
  }
  if (rule.expression.Next(fire, rule.zone) <= credit) return std::nullopt;
  return std::max(credit - fire, absl::ZeroDuration());
}

// The gaps of those that are not in the past.
std::vector<double> GapsSince(absl::Time end, const std::vector<Beat>& beats) {
  std::vector<double> gaps;
  for (const Beat& beat : beats) {
    if (beat.at >= end) gaps.push_back(absl::ToDoubleSeconds(beat.gap));
  }
  return gaps;
}

std::vector<double> LatenessSince(absl::Time end, const std::vector<Beat>& beats) {
  std::vector<double> lateness;
  for (const Beat& beat : beats) {
    if (beat.at >= end && beat.lateness.has_value()) {
      lateness.push_back(absl::ToDoubleSeconds(*beat.lateness));
    }
  }
  return lateness;
}

// Of a number of seconds that was made from one of whole microseconds.
absl::Duration FromSeconds(double seconds) {
  return absl::Microseconds(std::llround(seconds * 1e6));
}

// What tells an outage from a late heartbeat; see LeaveOutOutages.
absl::Duration OutageLength(const MonitorDefinition& definition, const std::vector<Beat>& beats,
                            const PastRhythm& past) {
  Histogram all = past.gaps;
  all.Add(past.silences);
  const double usual = QuantileOf(GapsSince(past.end, beats), all, 0.5);
  return kOutageTimes * std::max(FromSeconds(usual), Allowed(definition));
}

}  // namespace

bool Beat::FalseAlarm(const MonitorDefinition& definition) const {
  if (!up) return false;
  if (definition.schedule.cron.has_value()) return lateness > definition.schedule.grace;
  return gap > Allowed(definition);
}

std::vector<Beat> AllBeatsOf(const MonitorDefinition& definition,
                             const std::vector<Signal>& signals, const Intervals& unwatched,
                             const std::vector<Incident>& incidents) {
  std::vector<Interval> failed, missed;
  for (const Incident& incident : incidents) {
    if (incident.resolution == Resolution::kLateHeartbeat) continue;
    const Interval span = {.start = incident.opened_at,
                           .end = incident.closed_at.value_or(absl::InfiniteFuture())};
    (incident.cause == Cause::kMissedDeadline ? missed : failed).push_back(span);
  }
  const Intervals failures = Merged(std::move(failed));
  const Intervals silences = Merged(std::move(missed));
  const std::optional<CronRule>& cron = definition.schedule.cron;
  std::vector<Beat> beats;
  for (size_t i = 1; i < signals.size(); ++i) {
    const Interval span = {.start = signals[i - 1].at, .end = signals[i].at};
    if (Meet(unwatched, span) || Meet(failures, span)) continue;
    const absl::Time credit = CreditOf(definition, signals[i]);
    Beat beat;
    beat.at = signals[i].at;
    beat.up = signals[i].kind == HeartbeatKind::kUp;
    beat.gap = std::max(credit - span.start, absl::ZeroDuration());
    if (cron.has_value()) {
      beat.lateness = LatenessOf(*cron, CreditOf(definition, signals[i - 1]), credit);
    }
    beat.silent = Meet(silences, span);
    beats.push_back(beat);
  }
  return beats;
}

void LeaveOutOutages(const MonitorDefinition& definition, std::vector<Beat>& beats,
                     PastRhythm& past) {
  if (definition.schedule.cron.has_value()) {
    past.gaps.Add(std::exchange(past.silences, {}));
    return;
  }
  const absl::Duration outage = OutageLength(definition, beats, past);
  std::erase_if(beats, [&](const Beat& beat) { return beat.silent && beat.gap > outage; });
  const Histogram silences = std::exchange(past.silences, {});
  past.gaps.Add(silences.UpTo(absl::ToDoubleSeconds(outage)));
}

std::vector<Beat> BeatsOf(const MonitorDefinition& definition, const std::vector<Signal>& signals,
                          const Intervals& unwatched, const std::vector<Incident>& incidents) {
  std::vector<Beat> beats = AllBeatsOf(definition, signals, unwatched, incidents);
  PastRhythm none;
  LeaveOutOutages(definition, beats, none);
  return beats;
}

absl::Duration RoundedUp(absl::Duration duration) {
  static constexpr std::pair<absl::Duration, absl::Duration> kSteps[] = {
      {absl::Seconds(90), absl::Seconds(1)},     {absl::Minutes(5), absl::Seconds(5)},
      {absl::Minutes(30), absl::Seconds(30)},    {absl::Hours(2), absl::Minutes(1)},
      {absl::Hours(12), absl::Minutes(5)},       {absl::Hours(48), absl::Minutes(30)},
      {absl::InfiniteDuration(), absl::Hours(1)}};
  for (const auto& [below, step] : kSteps) {
    if (duration < below) return absl::Ceil(duration, step);
  }
  return duration;
}

Advice AdviceOf(const MonitorDefinition& definition, const std::vector<Beat>& beats,
                absl::Time alarms_since, const PastRhythm& past) {
  const bool cron = definition.schedule.cron.has_value();
  Advice advice;
  std::vector<double> lengths = cron ? LatenessSince(past.end, beats) : GapsSince(past.end, beats);
  const Histogram& before = cron ? past.lateness : past.gaps;
  const auto alarms = [&](const MonitorDefinition& under) {
    return std::count_if(beats.begin(), beats.end(), [&](const Beat& beat) {
      return beat.at >= alarms_since && beat.FalseAlarm(under);
    });
  };
  advice.beats = static_cast<int64_t>(lengths.size()) + before.count;
  advice.false_alarms = alarms(definition);
  if (advice.beats == 0) return advice;
  advice.most = FromSeconds(QuantileOf(std::move(lengths), before, kSuggestedPart));
  if (advice.beats < kFewestBeats) return advice;
  MonitorDefinition better = definition;
  Schedule& schedule = better.schedule;
  const absl::Duration wanted = kMargin * advice.most;
  if (cron) {
    schedule.grace = std::clamp(RoundedUp(wanted), absl::Seconds(1), kMaxGrace);
    advice.suggested = schedule.grace;
  } else {
    schedule.timeout =
        std::clamp(std::max(RoundedUp(wanted - schedule.grace), schedule.recommended_interval),
                   kMinTimeout, kMaxTimeout);
    advice.suggested = schedule.timeout;
  }
  advice.suggested_false_alarms = alarms(better);
  return advice;
}

}  // namespace tocsin::core
