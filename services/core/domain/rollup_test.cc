// Rollups: what belongs to which hour, where rollups end and heartbeats begin, and that both
// together say what heartbeats alone would.
#include "services/core/domain/rollup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <vector>

#include "services/core/domain/distribution.h"
#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using testing::CronSchedule;
using testing::MinuteMonitor;
using testing::Second;

const absl::Time kNoon = Second(0);
const absl::Time kMidnight = kNoon + absl::Hours(12);

Signal UpAt(absl::Time at) { return {.at = at}; }

Incident Missed(absl::Time start, absl::Time end) {
  Incident incident;
  incident.cause = Cause::kMissedDeadline;
  incident.opened_at = start;
  incident.closed_at = end;
  incident.resolution = Resolution::kRecovered;
  return incident;
}

TEST(Rollup, AGapBelongsToTheHourInWhichItEnds) {
  std::vector<Signal> signals = {UpAt(kNoon - absl::Seconds(10)), UpAt(kNoon),
                                 UpAt(kNoon + absl::Seconds(50))};
  signals[0].value = 7;
  signals[1].value = 1;
  const Rollup rollup = RollUp(MinuteMonitor(), kNoon, signals, {}, {});
  EXPECT_EQ(rollup.start, kNoon);
  EXPECT_EQ(rollup.gaps.count, 2);
  EXPECT_EQ(rollup.gaps.min, 10);
  EXPECT_EQ(rollup.gaps.max, 50);
  EXPECT_EQ(rollup.values.count, 1);
  EXPECT_EQ(rollup.values.max, 1);
  EXPECT_TRUE(RollUp(MinuteMonitor(), kNoon, {UpAt(kNoon)}, {}, {}).empty());
}

TEST(Rollup, SilencesAreApartAndWhatWasNotWatchedIsLeftOut) {
  const std::vector<Signal> signals = {UpAt(kNoon), UpAt(kNoon + absl::Seconds(50)),
                                       UpAt(kNoon + absl::Seconds(200)),
                                       UpAt(kNoon + absl::Seconds(260))};
  const Rollup rollup =
      RollUp(MinuteMonitor(), kNoon, signals,
             {{.start = kNoon + absl::Seconds(210), .end = kNoon + absl::Seconds(220)}},
             {Missed(kNoon + absl::Seconds(110), kNoon + absl::Seconds(200))});
  EXPECT_EQ(rollup.gaps.max, 50);
  EXPECT_EQ(rollup.gaps.count, 1);
  EXPECT_EQ(rollup.silences.max, 150);
  EXPECT_EQ(rollup.silences.count, 1);
}

TEST(Rollup, OfACronScheduleThereIsLateness) {
  MonitorDefinition definition = MinuteMonitor();
  definition.schedule = CronSchedule("0 * * * *", absl::Minutes(10));
  const Rollup rollup = RollUp(
      definition, kNoon, {UpAt(kNoon - absl::Minutes(58)), UpAt(kNoon + absl::Minutes(3))}, {}, {});
  EXPECT_EQ(rollup.lateness.count, 1);
  EXPECT_EQ(rollup.lateness.max, 180);
}

TEST(RollupLag, AnHourThatIsNotRolledUpCountsOnceItHasSettled) {
  const absl::Time noon = absl::FromCivil(absl::CivilHour(2026, 1, 5, 12), absl::UTCTimeZone());
  EXPECT_EQ(RollupLag(noon, noon + absl::Minutes(64)), absl::ZeroDuration());
  EXPECT_EQ(RollupLag(noon, noon + absl::Minutes(65)), absl::Hours(1));
  EXPECT_EQ(RollupLag(noon, noon + absl::Hours(30)), absl::Hours(29));
}

TEST(RollupLag, OfRollupsThatAreAheadOrHaveNotBegunThereIsNone) {
  const absl::Time noon = absl::FromCivil(absl::CivilHour(2026, 1, 5, 12), absl::UTCTimeZone());
  EXPECT_EQ(RollupLag(noon, noon - absl::Hours(2)), absl::ZeroDuration());
  EXPECT_EQ(RollupLag(absl::InfinitePast(), noon), absl::ZeroDuration());
}

TEST(RollupsBefore, TellTheDaysThenTheHoursBeforeTheHeartbeatsThatAreRead) {
  const absl::Time since = kMidnight - 30 * kDayLength;
  const RolledTo rolled = {.hours = kMidnight + absl::Hours(5), .days = kMidnight};
  // Within a day that is rolled up: that day is told as a whole.
  RollupSpan span = RollupsBefore(kMidnight - 5 * kDayLength + absl::Minutes(90), rolled, since);
  EXPECT_EQ(span.end, kMidnight - 4 * kDayLength);
  EXPECT_EQ(span.hours, span.end);
  EXPECT_EQ(span.days, since);
  // Also when it is the first instant of it: the gap that it ended is known to rollups only.
  EXPECT_EQ(RollupsBefore(kMidnight - 5 * kDayLength, rolled, since).end,
            kMidnight - 4 * kDayLength);
  // Within today: the hour is.
  span = RollupsBefore(kMidnight + absl::Minutes(90), rolled, since);
  EXPECT_EQ(span.end, kMidnight + absl::Hours(2));
  EXPECT_EQ(span.hours, kMidnight);
  // Heartbeats that are not rolled up yet, or none.
  for (const absl::Time first : {kMidnight + absl::Hours(7), absl::InfiniteFuture()}) {
    span = RollupsBefore(first, rolled, since);
    EXPECT_EQ(span.end, rolled.hours);
    EXPECT_EQ(span.hours, kMidnight);
  }
}

TEST(RollupsBefore, TellNothingWhereThereAreNone) {
  const RollupSpan span = RollupsBefore(kNoon, {}, kNoon - 30 * kDayLength);
  EXPECT_EQ(span.end, absl::InfinitePast());
  EXPECT_GE(span.hours, span.end);
  EXPECT_GE(span.days, span.end);
}

// A life of some days: gaps around a minute, with values, pauses and outages.
struct Life {
  std::vector<Signal> signals;
  Intervals unwatched;
  std::vector<Incident> incidents;
};

Life AnyLife(std::mt19937_64& random) {
  Life life;
  const auto chance = [&](double part) { return std::bernoulli_distribution(part)(random); };
  absl::Time at = kMidnight + absl::Microseconds(random() % 1'000'000'000);
  const absl::Duration usual = absl::Seconds(std::uniform_real_distribution(20.0, 55.0)(random));
  while (at < kMidnight + 3 * kDayLength) {
    Signal& signal = life.signals.emplace_back();
    signal.at = at;
    signal.kind = chance(0.01) ? HeartbeatKind::kDown : HeartbeatKind::kUp;
    if (chance(0.5)) signal.value = std::normal_distribution(0.0, 100.0)(random);
    const absl::Time before = at;
    absl::Duration gap = std::uniform_real_distribution(0.8, 1.2)(random) * usual;
    if (chance(0.002)) {  // an outage: much longer than three times what is usual and allowed
      gap = std::uniform_real_distribution(600.0, 20'000.0)(random) * absl::Seconds(1);
      life.incidents.push_back(Missed(before + absl::Minutes(1), before + gap));
    } else if (chance(0.01)) {  // late, and no outage
      gap = std::uniform_real_distribution(65.0, 120.0)(random) * absl::Seconds(1);
      life.incidents.push_back(Missed(before + absl::Minutes(1), before + gap));
    } else if (chance(0.001)) {
      life.unwatched.push_back({.start = before + gap / 3, .end = before + gap / 2});
    }
    at = before + absl::Floor(gap, absl::Microseconds(1));
    if (!life.incidents.empty())
      life.incidents.back().closed_at =
          std::min(*life.incidents.back().closed_at, std::max(at, life.incidents.back().opened_at));
  }
  return life;
}

std::vector<Signal> Between(const Life& life, absl::Time start, absl::Time end) {
  std::vector<Signal> some;
  for (size_t i = 0; i < life.signals.size(); ++i) {
    if (life.signals[i].at >= end) break;
    const bool is_before = i + 1 < life.signals.size() && life.signals[i + 1].at >= start;
    if (life.signals[i].at >= start || is_before) some.push_back(life.signals[i]);
  }
  return some;
}

void ExpectNear(const Distribution& got, const Distribution& wanted) {
  EXPECT_EQ(got.count, wanted.count);
  // Of silences that are no outages, extremes are known to the resolution.
  const auto near = [](double a, double b) {
    EXPECT_NEAR(a, b, std::abs(b) * (kBucketRatio - 1) * (1 + 1e-9) + 1e-9);
  };
  near(got.min, wanted.min);
  near(got.max, wanted.max);
  EXPECT_NEAR(got.mean, wanted.mean, (wanted.max - wanted.min) * 0.01);
  near(got.p50, wanted.p50);
  near(got.p90, wanted.p90);
  near(got.p99, wanted.p99);
  near(got.p999, wanted.p999);
}

TEST(Rollup, WithTheHeartbeatsSinceThenItSaysWhatAllHeartbeatsWouldSay) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  const MonitorDefinition definition = MinuteMonitor();
  for (int round = 0; round < 10; ++round) {
    const Life life = AnyLife(random);
    const absl::Time cut = kMidnight + absl::Hours(static_cast<int64_t>(random() % 73));
    Rollup all;
    for (absl::Time hour = kMidnight; hour < cut; hour += kHourLength) {
      all.Add(RollUp(definition, hour, Between(life, hour, hour + kHourLength), life.unwatched,
                     life.incidents));
    }
    PastRhythm past = {
        .end = cut, .gaps = all.gaps, .silences = all.silences, .lateness = all.lateness};
    std::vector<Beat> beats = AllBeatsOf(definition, Between(life, cut, absl::InfiniteFuture()),
                                         life.unwatched, life.incidents);
    LeaveOutOutages(definition, beats, past);
    const std::vector<Beat> wanted =
        BeatsOf(definition, life.signals, life.unwatched, life.incidents);

    const auto gaps_since = [](const std::vector<Beat>& of, absl::Time since) {
      std::vector<double> gaps;
      for (const Beat& beat : of) {
        if (beat.at >= since) gaps.push_back(absl::ToDoubleSeconds(beat.gap));
      }
      return gaps;
    };
    ExpectNear(DistributionOf(gaps_since(beats, cut), Scale::kLogarithmic, past.gaps),
               DistributionOf(gaps_since(wanted, absl::InfinitePast()), Scale::kLogarithmic));
    std::vector<double> values, values_since;
    for (const Signal& signal : life.signals) {
      if (!signal.value.has_value()) continue;
      values.push_back(*signal.value);
      if (signal.at >= cut) values_since.push_back(*signal.value);
    }
    ExpectNear(DistributionOf(values_since, Scale::kLinear, all.values),
               DistributionOf(values, Scale::kLinear));
    const Advice got = AdviceOf(definition, beats, cut, past);
    const Advice exact = AdviceOf(definition, wanted, cut);
    EXPECT_EQ(got.beats, exact.beats);
    EXPECT_EQ(got.false_alarms, exact.false_alarms);
    EXPECT_GE(got.most, exact.most);
    EXPECT_LE(got.most, exact.most * kBucketRatio + absl::Microseconds(1));
    ASSERT_TRUE(got.suggested.has_value());
    EXPECT_GE(*got.suggested, *exact.suggested);
    EXPECT_LE(*got.suggested, RoundedUp(*exact.suggested * kBucketRatio));
  }
}

}  // namespace
}  // namespace tocsin::core
