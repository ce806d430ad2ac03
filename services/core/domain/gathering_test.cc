// What of a storm goes at once, what waits, and what goes as one.
#include "services/core/domain/gathering.h"

#include <gtest/gtest.h>

namespace tocsin::core {
namespace {

absl::Time Second(double second) { return absl::UnixEpoch() + absl::Seconds(second); }

class Gathering : public ::testing::Test {
 protected:
  GatherPlan Plan(int32_t waiting, double now) {
    const GatherPlan plan = PlanGathering(channel_, window_, waiting, Second(now));
    window_ = plan.window;
    return plan;
  }

  Channel channel_;  // 10 within 10 s
  GatherWindow window_;
};

TEST_F(Gathering, WhatIsNoStormGoesAtOnceEachByItself) {
  EXPECT_EQ(Plan(1, 100).release, 1);
  EXPECT_EQ(Plan(9, 101).release, 9);
  EXPECT_EQ(Plan(10, 110).release, 10);
  EXPECT_FALSE(Plan(10, 120).digest);
}

TEST_F(Gathering, WhatComesBeyondTheLimitWaitsForTheEndOfTheWindow) {
  EXPECT_EQ(Plan(11, 100).release, 10);
  EXPECT_EQ(GatheredUntil(channel_, window_), Second(110));
  EXPECT_EQ(Plan(1, 109.9), (GatherPlan{.window = window_}));
}

TEST_F(Gathering, WhatWaitsAtTheEndGoesEachByItselfWhenItIsNotTooMuch) {
  Plan(20, 100);
  const GatherPlan plan = Plan(10, 110);
  EXPECT_FALSE(plan.digest);
  EXPECT_EQ(plan.release, 10);
}

TEST_F(Gathering, MoreThanTheLimitGoAsOne) {
  Plan(21, 100);
  const GatherPlan plan = Plan(11, 110);
  EXPECT_TRUE(plan.digest);
  EXPECT_EQ(plan.release, 0);
}

TEST_F(Gathering, AfterADigestAllIsGatheredUntilTheStormIsOver) {
  Plan(500, 100);
  EXPECT_TRUE(Plan(490, 110).digest);
  EXPECT_EQ(Plan(3, 111).release, 0) << "nothing goes by itself while it storms";
  EXPECT_EQ(GatheredUntil(channel_, window_), Second(120));
  EXPECT_TRUE(Plan(300, 120).digest);
  EXPECT_EQ(Plan(4, 130).release, 4) << "the storm is over";
  EXPECT_EQ(Plan(6, 131).release, 6);
  EXPECT_EQ(Plan(1, 132).release, 0);
}

TEST_F(Gathering, AQuietTimeEndsTheWindow) {
  Plan(500, 100);
  Plan(490, 110);
  EXPECT_EQ(Plan(1, 500).release, 1);
}

TEST_F(Gathering, AWindowOfAClockThatWasSetBackHoldsNothing) {
  window_ = {.started_at = Second(3600), .sent = 10};
  EXPECT_EQ(Plan(1, 100).release, 1);
}

TEST_F(Gathering, AWindowThatAnotherCoreHasJustBegunHolds) {
  window_ = {.started_at = Second(100.5), .sent = 10};
  EXPECT_EQ(Plan(190, 100), (GatherPlan{.window = window_}));
}

TEST_F(Gathering, ALimitThatWasRaisedCountsAtOnce) {
  Plan(11, 100);
  channel_.group_limit = 12;
  EXPECT_EQ(Plan(1, 101).release, 1);
}

TEST_F(Gathering, ALimitThatWasLoweredLetsNothingOut) {
  Plan(5, 100);
  channel_.group_limit = 3;
  EXPECT_EQ(Plan(2, 101).release, 0);
  EXPECT_TRUE(Plan(4, 110).digest);
}

TEST_F(Gathering, WithNothingWaitingNothingChanges) { EXPECT_EQ(Plan(0, 100), GatherPlan{}); }

TEST_F(Gathering, CriticalAlertsAreNeverGatheredNorIsAnythingWithoutAWait) {
  EXPECT_TRUE(MayBeGathered(channel_, Severity::kError));
  EXPECT_TRUE(MayBeGathered(channel_, Severity::kInfo));
  EXPECT_FALSE(MayBeGathered(channel_, Severity::kCritical));
  channel_.group_wait = absl::ZeroDuration();
  EXPECT_FALSE(MayBeGathered(channel_, Severity::kError));
  EXPECT_EQ(Plan(11, 100).release, 11) << "what still waits is let out";
  EXPECT_EQ(Plan(11, 100).release, 11);
}

TEST_F(Gathering, APagerIsToldEachAlertAChatWindowOfManyAtOnce) {
  channel_.format = ChannelFormat::kSlack;
  EXPECT_TRUE(MayBeGathered(channel_, Severity::kError));
  EXPECT_FALSE(MayBeGathered(channel_, Severity::kCritical));
  channel_.format = ChannelFormat::kPagerDuty;
  EXPECT_FALSE(MayBeGathered(channel_, Severity::kInfo));
}

}  // namespace
}  // namespace tocsin::core
