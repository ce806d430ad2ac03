// What people see of the statistics of a monitor.
#include "cli/statistics_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kSince = 1'773'108'000;  // 2026-03-10T02:00:00Z

v1::TimeoutAdvice MinuteAdvice() {
  v1::TimeoutAdvice advice;
  advice.mutable_timeout()->set_seconds(60);
  advice.set_gap_count(10'079);
  advice.mutable_longest_usual()->set_seconds(65);
  advice.set_false_alarms(14);
  advice.mutable_false_alarms_since()->set_seconds(kSince);
  advice.mutable_suggested_timeout()->set_seconds(72);
  return advice;
}

TEST(StatisticsView, SaysWhatTheTimeoutWouldHaveDoneAndSuggestsABetterOne) {
  EXPECT_EQ(AdviceText(MinuteAdvice(), false),
            "99.9 % of 10,079 gaps were at most 65s; the timeout of 60s would have raised 14 false "
            "alarms since 2026-03-10 02:00:00Z.\n"
            "Suggested: --timeout 72s, which would have raised none.\n");
}

TEST(StatisticsView, SaysWhatAnotherTimeoutWouldHaveDoneAndNoMore) {
  v1::TimeoutAdvice advice = MinuteAdvice();
  advice.mutable_grace()->set_seconds(5);
  advice.set_false_alarms(1);
  EXPECT_EQ(AdviceText(advice, true),
            "99.9 % of 10,079 gaps were at most 65s; a timeout of 60s with its grace of 5s would "
            "have raised 1 false alarm since 2026-03-10 02:00:00Z.\n");
}

TEST(StatisticsView, SaysWhyNothingIsSuggested) {
  v1::TimeoutAdvice advice = MinuteAdvice();
  advice.clear_suggested_timeout();
  advice.set_gap_count(1);
  advice.set_false_alarms(0);
  EXPECT_THAT(AdviceText(advice, false), HasSubstr("99.9 % of 1 gap were at most 65s"));
  EXPECT_THAT(AdviceText(advice, false), HasSubstr("would have raised no false alarms"));
  EXPECT_THAT(AdviceText(advice, false),
              HasSubstr("No timeout is suggested before there are 100.\n"));
  advice.clear_longest_usual();
  EXPECT_EQ(AdviceText(advice, false), "No gap between heartbeats was seen yet.\n");
}

TEST(StatisticsView, OfCronItIsAboutTheGrace) {
  v1::TimeoutAdvice advice = MinuteAdvice();
  advice.clear_timeout();
  advice.clear_suggested_timeout();
  advice.mutable_grace()->set_seconds(300);
  advice.mutable_suggested_grace()->set_seconds(600);
  advice.set_suggested_false_alarms(2);
  const std::string text = AdviceText(advice, false);
  EXPECT_THAT(text, HasSubstr("heartbeats came at most 65s after the fire time; the grace of 5m "));
  EXPECT_THAT(text, HasSubstr("Suggested: --grace 10m, which would have raised 2.\n"));
}

v1::MonitorStatistics Example() {
  v1::MonitorStatistics statistics;
  v1::Uptime& day = *statistics.add_uptimes();
  day.mutable_window()->set_seconds(86'400);
  day.mutable_watched()->set_seconds(86'400);
  day.mutable_down()->set_seconds(300);
  day.set_ratio(1 - 300.0 / 86'400);
  day.set_incidents(1);
  day.mutable_mean_time_to_recovery()->set_seconds(300);
  statistics.add_uptimes()->mutable_window()->set_seconds(7 * 86'400);
  *statistics.mutable_timeout_advice() = MinuteAdvice();
  return statistics;
}

TEST(StatisticsView, ShowsUptimeByWindowRoundedDown) {
  EXPECT_THAT(StatisticsText(Example()),
              HasSubstr("WINDOW  UPTIME    WATCHED  DOWN  INCIDENTS  TIME TO RECOVERY\n"
                        "24h     99.652 %  24h      5m    1          5m\n"
                        "7d      -         0s       0s    0          -\n"));
  EXPECT_THAT(StatisticsText(Example()), Not(HasSubstr("HOW MANY")));
}

TEST(StatisticsView, DrawsGapsAsAHistogramOfAtMostTwelveBars) {
  v1::MonitorStatistics statistics = Example();
  v1::Distribution& gaps = *statistics.mutable_gaps();
  gaps.set_count(100);
  double low = 1;
  for (int i = 0; i < 40; ++i) {
    v1::Distribution::Bucket& bucket = *gaps.add_buckets();
    bucket.set_low(low);
    bucket.set_high(low *= 1.0905);
    bucket.set_count(i == 20 ? 61 : 1);
  }
  const std::string text = StatisticsText(statistics);
  const std::string bars = text.substr(text.find("HOW MANY"));
  EXPECT_LE(std::count(bars.begin(), bars.begin() + bars.find("\n\n"), '\n'), 12);
  EXPECT_THAT(text, HasSubstr(std::string(40, '#')));
  EXPECT_THAT(text, HasSubstr("1s to "));
}

}  // namespace
}  // namespace tocsin::cli
