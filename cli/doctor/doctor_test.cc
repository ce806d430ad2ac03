// What is made of the facts about a Tocsin, and how it is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/doctor/finding.h"
#include "cli/doctor/judge.h"
#include "cli/doctor/metrics_text.h"
#include "cli/doctor/push_meter.h"
#include "cli/table.h"
#include "cli/values.h"

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

ClockReading Core(absl::Duration off) {
  return {.whose = "core",
          .least = kNow + off,
          .most = kNow + off,
          .before = kNow - absl::Milliseconds(20),
          .after = kNow + absl::Milliseconds(20)};
}

v1::Channel MakeChannel(const std::string& id, bool is_default) {
  v1::Channel channel;
  channel.set_name("projects/default/channels/" + id);
  channel.set_is_default(is_default);
  return channel;
}

TEST(JudgeTest, ClocksMayDifferByAsMuchAsTheQuestionTookAndFiveSeconds) {
  EXPECT_EQ(JudgeClock(Core(absl::ZeroDuration())).verdict, Verdict::kFine);
  EXPECT_EQ(JudgeClock(Core(absl::Milliseconds(5010))).verdict, Verdict::kFine);
  const Finding ahead = JudgeClock(Core(absl::Seconds(90)));
  EXPECT_EQ(ahead.verdict, Verdict::kProblem);
  EXPECT_EQ(ahead.what, "that of core is 1m29s or more ahead of that here");
  EXPECT_THAT(JudgeClock(Core(-absl::Seconds(90))).what, HasSubstr("behind that here"));
}

TEST(JudgeTest, AVersionThatDiffersIsWorthANote) {
  EXPECT_EQ(JudgeVersion("core", "0.1.0", "0.1.0").verdict, Verdict::kFine);
  EXPECT_EQ(JudgeVersion("core", "0.2.0", "0.1.0").verdict, Verdict::kNote);
}

TEST(JudgeTest, ChannelsThatFailAndAProjectWithoutOneAreProblems) {
  EXPECT_EQ(JudgeChannels({MakeChannel("ops", true)})[0].verdict, Verdict::kFine);
  EXPECT_EQ(JudgeChannels({})[0].verdict, Verdict::kProblem);
  EXPECT_THAT(JudgeChannels({MakeChannel("ops", false)})[0].what, HasSubstr("no default channel"));
  v1::Channel failing = MakeChannel("ops", true);
  *failing.mutable_failing_since() = ToProtoTime(kNow);
  failing.set_last_error("status_5xx");
  const Findings found = JudgeChannels({failing});
  ASSERT_EQ(found.size(), 1);
  EXPECT_THAT(found[0].what, HasSubstr("ops fails since 2027-01-15 08:00:00Z: status_5xx"));
  EXPECT_THAT(found[0].advice, HasSubstr("tocsin channel test ops"));
  v1::Channel disabled = MakeChannel("ops", true);
  *disabled.mutable_disable_time() = ToProtoTime(kNow);
  EXPECT_EQ(JudgeChannels({disabled}).size(), 2);  // and so there is no default one
}

TEST(JudgeTest, ADeliveryIsAProblemThatDiedWithinADayOrThatNobodyTakes) {
  v1::Delivery dead;
  dead.set_name("projects/default/deliveries/msg_1");
  dead.set_last_outcome("status_4xx");
  *dead.mutable_finish_time() = ToProtoTime(kNow - absl::Hours(2));
  v1::Delivery waiting;
  waiting.set_name("projects/default/deliveries/msg_2");
  *waiting.mutable_next_attempt_time() = ToProtoTime(kNow - absl::Minutes(5));
  const Findings found = JudgeDeliveries({.dead = {dead}, .pending = {waiting}}, kNow);
  ASSERT_EQ(found.size(), 2);
  EXPECT_THAT(found[0].advice, HasSubstr("redeliver msg_1"));
  EXPECT_THAT(found[1].what, HasSubstr("msg_2"));
  // What went with its channel is nobody's fault.
  v1::Delivery gone = dead;
  gone.set_name("projects/default/deliveries/msg_0");
  gone.set_last_outcome("channel_deleted");
  const Findings mixed = JudgeDeliveries({.dead = {gone, dead}, .pending = {}}, kNow);
  ASSERT_EQ(mixed.size(), 1);
  EXPECT_THAT(mixed[0].what, HasSubstr("1 given up within a day"));
  EXPECT_THAT(mixed[0].advice, HasSubstr("msg_1"));
  const Finding fine = JudgeDeliveries({.dead = {gone}, .pending = {}}, kNow)[0];
  EXPECT_EQ(fine.verdict, Verdict::kFine);
  EXPECT_THAT(fine.what, HasSubstr("but 1 that went with a channel"));
  const Finding hides =
      JudgeDeliveries({.dead = {gone}, .pending = {}, .more_dead = true}, kNow)[0];
  EXPECT_EQ(hides.verdict, Verdict::kNote);
  EXPECT_THAT(hides.what, HasSubstr("but 1 or more"));
  *dead.mutable_finish_time() = ToProtoTime(kNow - absl::Hours(30));
  waiting.set_attempts(3);  // its receiver fails: the channel says so
  const Findings old = JudgeDeliveries({.dead = {dead}, .pending = {waiting}}, kNow);
  ASSERT_EQ(old.size(), 1);
  EXPECT_EQ(old[0].verdict, Verdict::kFine);
}

TEST(JudgeTest, TheDiskIsThatOfTheRateInTheTimeForWhichHeartbeatsAreKept) {
  v1::Monitor monitor;
  monitor.mutable_schedule()->mutable_heartbeat()->mutable_timeout()->set_seconds(60);
  v1::Monitor up = monitor, down = monitor, fresh = monitor, paused = monitor;
  up.set_state(v1::Monitor::STATE_UP);
  down.set_state(v1::Monitor::STATE_DOWN);
  fresh.set_state(v1::Monitor::STATE_NEW);
  paused.set_state(v1::Monitor::STATE_PAUSED);
  EXPECT_DOUBLE_EQ(RateOfSchedules({up, down, fresh, paused}), 0.05);
  const Finding small = JudgeDisk({.per_second = 0.05, .how = "x"}, absl::Hours(24 * 14));
  EXPECT_THAT(small.what, HasSubstr("3.0 pushes a minute (x) are 6.4 MB of heartbeats in 14d"));
  EXPECT_EQ(small.advice, "");
  // As docs/sizing.md has it.
  EXPECT_THAT(JudgeDisk({.per_second = 1667, .how = "x"}, absl::Hours(24 * 14)).what,
              HasSubstr("212 GB"));
}

// Of one that has stored `stored` heartbeats, and refused one, in `life` until now.
std::string CoreMetrics(int stored, absl::Duration life) {
  return absl::StrCat("process_start_time_seconds ", absl::ToUnixSeconds(kNow - life), "\n",
                      "tocsin_core_heartbeats_total{outcome=\"recorded\"} ", stored, "\n",
                      "tocsin_core_heartbeats_total{outcome=\"unknown_token\"} 1\n");
}

TEST(PushMeterTest, TheRatesOfAllCoresAreOneAndTheYoungestSaysForHowLong) {
  PushMeter meter;
  meter.AddCore(CoreMetrics(7200, absl::Hours(2)), kNow);
  meter.AddCore(CoreMetrics(120, absl::Minutes(1)), kNow);
  ASSERT_TRUE(meter.Measured().has_value());
  EXPECT_DOUBLE_EQ(meter.Measured()->per_second, 3);
  EXPECT_EQ(meter.Measured()->how, "measured for 1m");
}

TEST(PushMeterTest, ACoreThatHasJustStartedMeasuresNothingAndIsNamedAsTheReason) {
  PushMeter meter;
  EXPECT_FALSE(meter.Measured().has_value());
  EXPECT_EQ(meter.WhyNot(), "--admin of core measures it");
  meter.AddCore(CoreMetrics(7200, absl::Hours(2)), kNow);
  meter.AddCore(CoreMetrics(1, absl::Seconds(3)), kNow);
  EXPECT_FALSE(meter.Measured().has_value());
  EXPECT_THAT(meter.WhyNot(), HasSubstr("a core that has run for 3s cannot measure it yet"));
  PushMeter ahead;  // its clock, by an hour
  ahead.AddCore(CoreMetrics(1, -absl::Hours(1)), kNow);
  EXPECT_FALSE(ahead.Measured().has_value());
}

TEST(JudgeTest, AServiceThatIsConnectedToNoneOfTheOthersIsAProblem) {
  const std::string build = "tocsin_build_info{service=\"tocsin-core\",version=\"0.1.0\"} 1\n";
  EXPECT_TRUE(JudgeMetrics("h:1", build + "tocsin_core_connected_gateways 1\n").empty());
  const Findings found = JudgeMetrics("h:1", build + "tocsin_core_connected_gateways 0\n");
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].check, "core");
  EXPECT_EQ(found[0].what, "h:1: no gateway is connected to it");
  EXPECT_TRUE(JudgeMetrics("h:1", build + "tocsin_core_rollup_lag_seconds 21600\n").empty());
  const Findings late = JudgeMetrics("h:1", build + "tocsin_core_rollup_lag_seconds 25200\n");
  ASSERT_EQ(late.size(), 1);
  EXPECT_EQ(late[0].verdict, Verdict::kNote);
  EXPECT_THAT(late[0].what, HasSubstr("rolled up"));
  EXPECT_THAT(JudgeMetrics("h:1", "<html>")[0].what, HasSubstr("is not of Tocsin"));
}

TEST(MetricsTextTest, SeriesOfOneFamilyAreAddedUp) {
  constexpr char kText[] =
      "# HELP a_total x\na_total{k=\"up\",o=\"recorded\"} 2\na_total{k=\"up\",o=\"stale\"} 1\n"
      "a_total_more 9\na_total{k=\"down\",o=\"recorded\"} 1e1\nb 3\n";
  EXPECT_EQ(SumOf(kText, "a_total", "o=\"recorded\""), 12);
  EXPECT_EQ(SumOf(kText, "a_total"), 13);
  EXPECT_EQ(SumOf(kText, "b"), 3);
  EXPECT_EQ(SumOf(kText, "c"), std::nullopt);
  EXPECT_EQ(LabelOf(kText, "a_total", "k"), "up");
}

TEST(FindingsTest, WhatIsToBeDoneStandsBelowWhatIsWrong) {
  const Findings findings = {{"core", Verdict::kFine, "it answers", ""},
                             {"channel", Verdict::kProblem, "ops fails", "mend it"}};
  EXPECT_EQ(FindingsText(findings, {}),
            "ok       core     it answers\n"
            "PROBLEM  channel  ops fails\n"
            "                  → mend it\n"
            "\n1 problem.\n");
  EXPECT_FALSE(FindingsJson(findings)["healthy"].get<bool>());
  EXPECT_TRUE(FindingsJson({findings[0]})["healthy"].get<bool>());
}

TEST(FindingsTest, NoLineIsLongerThanTheTerminalIsWide) {
  std::string words;
  for (int i = 0; i < 50; ++i) words += "word ";
  for (const auto line : absl::StrSplit(
           FindingsText({{"core", Verdict::kNote, words, words}}, {.colour = false, .width = 80}),
           '\n')) {
    EXPECT_LE(Width(line), 80) << line;
  }
}

}  // namespace
}  // namespace tocsin::cli
