// The rhythm of heartbeats, and the timeout that it suggests.
#include "services/core/domain/rhythm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using testing::CronSchedule;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MinuteMonitor;
using testing::Second;
using testing::Wall;

Signal Up(absl::Time at) { return {.at = at}; }
Signal Down(absl::Time at) { return {.at = at, .kind = HeartbeatKind::kDown}; }

// Ups that come after these gaps, in seconds, from second 0 on.
std::vector<Signal> After(const std::vector<double>& gaps) {
  std::vector<Signal> signals = {Up(Second(0))};
  for (const double gap : gaps) signals.push_back(Up(signals.back().at + absl::Seconds(gap)));
  return signals;
}

Incident Open(Cause cause, absl::Time start, absl::Time end,
              Resolution resolution = Resolution::kRecovered) {
  Incident incident;
  incident.cause = cause;
  incident.opened_at = start;
  incident.closed_at = end;
  incident.resolution = resolution;
  return incident;
}

std::vector<double> GapsOf(const std::vector<Beat>& beats) {
  std::vector<double> gaps;
  for (const Beat& beat : beats) gaps.push_back(absl::ToDoubleSeconds(beat.gap));
  return gaps;
}

TEST(Rhythm, IsTheTimeBetweenHeartbeats) {
  const std::vector<Beat> beats =
      BeatsOf(MinuteMonitor(), {Up(Second(0)), Up(Second(50)), Down(Second(120))}, {}, {});
  EXPECT_THAT(GapsOf(beats), ElementsAre(50, 70));
  EXPECT_TRUE(beats[0].up);
  EXPECT_FALSE(beats[1].up);
  EXPECT_THAT(BeatsOf(MinuteMonitor(), {Up(Second(0))}, {}, {}), IsEmpty());
}

TEST(Rhythm, LeavesOutWhatWasNotWatchedAndWhereTheJobSaidThatItFailed) {
  const std::vector<Signal> signals = After({50, 51, 52, 53});  // at 50, 101, 153, 206
  const Intervals unwatched = {{.start = Second(60), .end = Second(70)}};
  EXPECT_THAT(GapsOf(BeatsOf(MinuteMonitor(), signals, unwatched, {})), ElementsAre(50, 52, 53));
  const std::vector<Incident> failed = {Open(Cause::kReportedDown, Second(101), Second(153))};
  EXPECT_THAT(GapsOf(BeatsOf(MinuteMonitor(), signals, {}, failed)), ElementsAre(50, 51, 53));
}

TEST(Rhythm, ALateHeartbeatStaysInAndAnOutageDoesNot) {
  const std::vector<Signal> signals = After({50, 90, 50, 7200, 50});
  const std::vector<Incident> missed = {Open(Cause::kMissedDeadline, Second(110), Second(140)),
                                        Open(Cause::kMissedDeadline, Second(250), Second(7390))};
  EXPECT_THAT(GapsOf(BeatsOf(MinuteMonitor(), signals, {}, missed)), ElementsAre(50, 90, 50, 50));
  // What opened no incident was allowed, or proved to be in time.
  EXPECT_THAT(GapsOf(BeatsOf(MinuteMonitor(), signals, {}, {})), ElementsAre(50, 90, 50, 7200, 50));
}

TEST(Rhythm, ATimeoutThatIsMuchTooShortHidesNothing) {
  MonitorDefinition definition = MinuteMonitor();
  definition.schedule.timeout = absl::Seconds(1);
  const std::vector<Incident> always = {Open(Cause::kMissedDeadline, Second(1), Second(180))};
  EXPECT_THAT(GapsOf(BeatsOf(definition, After({60, 60, 60}), {}, always)),
              ElementsAre(60, 60, 60));
}

TEST(Rhythm, WithALimitOfRunsTheTimeOfTheRunIsNoGap) {
  MonitorDefinition definition = MinuteMonitor();
  Signal end = Up(Second(100));
  end.run_duration = absl::Seconds(30);
  EXPECT_THAT(GapsOf(BeatsOf(definition, {Up(Second(0)), end}, {}, {})), ElementsAre(100));
  definition.max_run_duration = absl::Seconds(60);
  EXPECT_THAT(GapsOf(BeatsOf(definition, {Up(Second(0)), end}, {}, {})), ElementsAre(70));
}

TEST(Rhythm, OfCronIsTheLatenessAfterTheFireTime) {
  MonitorDefinition definition = MinuteMonitor();
  definition.schedule = CronSchedule("0 * * * *", absl::Minutes(5));
  const std::vector<Signal> signals = {Up(Wall("2026-01-05 12:00:10")),
                                       Up(Wall("2026-01-05 13:02:00")),
                                       Up(Wall("2026-01-05 13:30:00")),  // for no fire time
                                       Up(Wall("2026-01-05 13:59:30")),  // a little early
                                       Up(Wall("2026-01-05 16:01:00")),  // that of 15:00 never came
                                       Up(Wall("2026-01-05 17:09:00"))};
  const std::vector<Beat> beats = BeatsOf(definition, signals, {}, {});
  ASSERT_EQ(beats.size(), 5);
  EXPECT_EQ(beats[0].lateness, absl::Minutes(2));
  EXPECT_EQ(beats[1].lateness, std::nullopt);
  EXPECT_EQ(beats[2].lateness, absl::ZeroDuration());
  EXPECT_EQ(beats[3].lateness, std::nullopt);
  EXPECT_EQ(beats[4].lateness, absl::Minutes(9));
  EXPECT_FALSE(beats[0].FalseAlarm(definition));
  EXPECT_FALSE(beats[3].FalseAlarm(definition));
  EXPECT_TRUE(beats[4].FalseAlarm(definition));
}

// 10,000 gaps, of which 14 are longer than a minute, and 9 longer than 65 s.
std::vector<Signal> TenThousand() {
  std::vector<double> gaps(10'000, 55);
  for (size_t i = 0; i < 14; ++i) gaps[i * 700] = i < 9 ? 70 : 65;
  return After(gaps);
}

TEST(Advice, CoversNearlyAllGapsWithAMarginAndCountsFalseAlarms) {
  const std::vector<Beat> beats = BeatsOf(MinuteMonitor(), TenThousand(), {}, {});
  const Advice advice = AdviceOf(MinuteMonitor(), beats, absl::InfinitePast());
  EXPECT_EQ(advice.beats, 10'000);
  EXPECT_EQ(advice.most, absl::Seconds(65));
  EXPECT_EQ(advice.false_alarms, 14);
  EXPECT_EQ(advice.suggested, absl::Seconds(72));
  EXPECT_EQ(advice.suggested_false_alarms, 0);
}

TEST(Advice, CountsOnlyTheNewestAlarmsAndThoseThatEndedWithAnUp) {
  std::vector<Signal> signals = After({50, 70, 50, 70, 70});
  signals.back().kind = HeartbeatKind::kDown;
  const std::vector<Beat> beats = BeatsOf(MinuteMonitor(), signals, {}, {});
  EXPECT_EQ(AdviceOf(MinuteMonitor(), beats, absl::InfinitePast()).false_alarms, 2);
  EXPECT_EQ(AdviceOf(MinuteMonitor(), beats, Second(150)).false_alarms, 1);
}

TEST(Advice, NeedsAHundredGaps) {
  const std::vector<double> gaps(kFewestBeats, 55);
  const std::vector<Signal> signals = After(gaps);
  const std::vector<Signal> fewer(signals.begin(), signals.end() - 1);
  EXPECT_FALSE(AdviceOf(MinuteMonitor(), BeatsOf(MinuteMonitor(), fewer, {}, {}), Second(0))
                   .suggested.has_value());
  EXPECT_TRUE(AdviceOf(MinuteMonitor(), BeatsOf(MinuteMonitor(), signals, {}, {}), Second(0))
                  .suggested.has_value());
  EXPECT_EQ(AdviceOf(MinuteMonitor(), {}, Second(0)).beats, 0);
}

TEST(Advice, LeavesTheGraceBesideTheTimeoutAndTheRecommendedIntervalBelowIt) {
  MonitorDefinition definition = MinuteMonitor();
  definition.schedule.grace = absl::Seconds(30);
  definition.schedule.recommended_interval = absl::Seconds(10);
  const std::vector<Beat> beats = BeatsOf(definition, After(std::vector<double>(200, 100)), {}, {});
  EXPECT_EQ(AdviceOf(definition, beats, Second(0)).suggested, absl::Seconds(80));
  definition.schedule.recommended_interval = absl::Seconds(85);
  EXPECT_EQ(AdviceOf(definition, beats, Second(0)).suggested, absl::Seconds(85));
  // Several failures in a row make an alert.
  definition.failure_threshold = 2;
  EXPECT_EQ(AdviceOf(definition, beats, Second(0)).false_alarms, 0);
}

TEST(Advice, OfCronIsAGrace) {
  MonitorDefinition definition = MinuteMonitor();
  definition.schedule = CronSchedule("0 * * * *", absl::Minutes(1));
  std::vector<Signal> signals;
  for (int hour = 0; hour <= 200; ++hour) {
    signals.push_back(Up(Wall("2026-01-05 12:03:00") + absl::Hours(hour)));
  }
  const Advice advice = AdviceOf(definition, BeatsOf(definition, signals, {}, {}), Second(0));
  EXPECT_EQ(advice.most, absl::Minutes(3));
  EXPECT_EQ(advice.suggested, absl::Seconds(200));
  EXPECT_EQ(advice.false_alarms, 200);
  EXPECT_EQ(advice.suggested_false_alarms, 0);
}

TEST(Advice, IsWhatAPersonWouldType) {
  const std::pair<absl::Duration, absl::Duration> cases[] = {
      {absl::Milliseconds(71'500), absl::Seconds(72)}, {absl::Seconds(72), absl::Seconds(72)},
      {absl::Seconds(91), absl::Seconds(95)},          {absl::Seconds(301), absl::Seconds(330)},
      {absl::Minutes(31), absl::Minutes(31)},          {absl::Seconds(3601), absl::Minutes(61)},
      {absl::Minutes(121), absl::Minutes(125)},        {absl::Minutes(721), absl::Minutes(750)},
      {absl::Minutes(2881), absl::Hours(49)}};
  for (const auto& [from, to] : cases) EXPECT_EQ(RoundedUp(from), to) << from;
}

}  // namespace
}  // namespace tocsin::core
