// How the monitors of a project stand.
#include "cli/status/standing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tocsin::cli {
namespace {

v1::Monitor Of(const std::string& id, v1::Monitor::State state,
               v1::Monitor::Condition condition = v1::Monitor::CONDITION_UNSPECIFIED) {
  v1::Monitor monitor;
  monitor.set_name("projects/default/monitors/" + id);
  monitor.set_state(state);
  monitor.set_condition(condition);
  return monitor;
}

TEST(StandingTest, AMonitorHasItsGravestTrouble) {
  v1::Monitor down = Of("a", v1::Monitor::STATE_DOWN);
  down.set_flapping(true);
  down.mutable_mute_expire_time()->set_seconds(1);
  EXPECT_EQ(TroubleOf(down), Trouble::kDown);
  v1::Monitor late = Of("a", v1::Monitor::STATE_UP, v1::Monitor::CONDITION_LATE);
  late.set_unverified(true);
  EXPECT_EQ(TroubleOf(late), Trouble::kLate);
  EXPECT_EQ(TroubleOf(Of("a", v1::Monitor::STATE_NEW, v1::Monitor::CONDITION_NEVER_REPORTED)),
            Trouble::kNeverReported);
  v1::Monitor muted = Of("a", v1::Monitor::STATE_UP, v1::Monitor::CONDITION_UP);
  EXPECT_EQ(TroubleOf(muted), std::nullopt);
  muted.set_in_maintenance(true);
  EXPECT_EQ(TroubleOf(muted), Trouble::kSilenced);
}

TEST(StandingTest, WhatIsPausedOrNewAndInTimeIsNoTrouble) {
  v1::Monitor paused = Of("a", v1::Monitor::STATE_PAUSED);
  paused.mutable_mute_expire_time()->set_seconds(1);
  paused.set_unverified(true);
  EXPECT_EQ(TroubleOf(paused), std::nullopt);
  EXPECT_EQ(TroubleOf(Of("a", v1::Monitor::STATE_NEW, v1::Monitor::CONDITION_NEW)), std::nullopt);
}

TEST(StandingTest, EachMonitorCountsOnce) {
  Standing standing;
  EXPECT_TRUE(standing.empty());
  standing.Add(Of("a", v1::Monitor::STATE_DOWN));
  standing.Add(Of("b", v1::Monitor::STATE_UP, v1::Monitor::CONDITION_UP));
  standing.Add(Of("c", v1::Monitor::STATE_NEW, v1::Monitor::CONDITION_NEW));
  standing.Add(Of("d", v1::Monitor::STATE_PAUSED));
  EXPECT_EQ(standing.Of(Trouble::kDown).number, 1);
  EXPECT_EQ(standing.up().number, 1);
  EXPECT_EQ(standing.fresh().number, 1);
  EXPECT_EQ(standing.paused().number, 1);
  EXPECT_FALSE(standing.empty());
}

TEST(StandingTest, OnlyWhatIsDownOrNeverReportedIsWrong) {
  Standing standing;
  standing.Add(Of("a", v1::Monitor::STATE_UP, v1::Monitor::CONDITION_LATE));
  EXPECT_FALSE(standing.Wrong());
  standing.Add(Of("b", v1::Monitor::STATE_NEW, v1::Monitor::CONDITION_NEVER_REPORTED));
  EXPECT_TRUE(standing.Wrong());
}

TEST(StandingTest, WhatWasNotReadIsSaidOfTheCountsThatItMayRaise) {
  Standing standing;
  standing.AddUnread(v1::Monitor::STATE_UP);
  EXPECT_FALSE(standing.Of(Trouble::kDown).more);
  EXPECT_TRUE(standing.Of(Trouble::kLate).more);
  EXPECT_TRUE(standing.up().more);
  EXPECT_FALSE(standing.Of(Trouble::kNeverReported).more);
  standing.AddUnread(v1::Monitor::STATE_NEW);
  EXPECT_TRUE(standing.Of(Trouble::kNeverReported).more);
}

TEST(StandingTest, TheGravestComeFirstAndOfEqualsTheNewest) {
  Standing standing;
  const auto down = [&](const std::string& id, v1::Monitor::Severity severity, int64_t since) {
    v1::Monitor monitor = Of(id, v1::Monitor::STATE_DOWN);
    monitor.set_severity(severity);
    monitor.mutable_state_change_time()->set_seconds(since);
    standing.Add(monitor);
  };
  standing.Add(Of("late", v1::Monitor::STATE_UP, v1::Monitor::CONDITION_LATE));
  down("warning", v1::Monitor::SEVERITY_WARNING, 9);
  down("older", v1::Monitor::SEVERITY_CRITICAL, 1);
  down("newer", v1::Monitor::SEVERITY_CRITICAL, 2);
  standing.Sort();
  std::vector<std::string> order;
  for (const Problem& problem : standing.problems()) {
    order.push_back(problem.monitor.name().substr(26));
  }
  EXPECT_THAT(order, testing::ElementsAre("newer", "older", "warning", "late"));
}

TEST(StandingTest, AProblemBeganWhenItsIncidentDid) {
  Problem problem = {.trouble = Trouble::kDown, .monitor = Of("a", v1::Monitor::STATE_DOWN)};
  EXPECT_EQ(problem.Since(), std::nullopt);
  problem.monitor.mutable_state_change_time()->set_seconds(20);
  EXPECT_EQ(problem.Since(), absl::FromUnixSeconds(20));
  problem.incident.emplace().mutable_open_time()->set_seconds(10);
  EXPECT_EQ(problem.Since(), absl::FromUnixSeconds(10));
}

}  // namespace
}  // namespace tocsin::cli
