// Which deadlines are kept because no alert tells of them.
#include "services/core/domain/passed_deadline.h"

#include <gtest/gtest.h>

#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using testing::CoreGap;
using testing::CronSchedule;
using testing::MinuteMonitor;
using testing::Second;
using testing::UpSince;

std::optional<PassedDeadline> Judge(const MonitorDefinition& definition, const MonitorState& state,
                                    const GapList& gaps, absl::Time now) {
  return PassedUntold(definition, DeadlineOf(definition, state, gaps),
                      Decide(definition, state, DeadlineChecked{}, gaps, now), now);
}

TEST(PassedDeadline, WhatRingsIsToldByItsAlert) {
  EXPECT_FALSE(Judge(MinuteMonitor(), UpSince(Second(0)), {}, Second(61)).has_value());
}

TEST(PassedDeadline, WhatHasNotPassedIsNotKept) {
  EXPECT_FALSE(Judge(MinuteMonitor(), UpSince(Second(0)), {}, Second(59)).has_value());
}

TEST(PassedDeadline, AFailureBelowTheThresholdIsKeptWithItsSettings) {
  MonitorDefinition definition = MinuteMonitor();
  definition.failure_threshold = 2;
  definition.schedule.grace = absl::Seconds(10);
  const auto passed = Judge(definition, UpSince(Second(0)), {}, Second(71));
  ASSERT_TRUE(passed.has_value());
  EXPECT_EQ(passed->reason, Reason::kCounted);
  EXPECT_EQ(passed->at, Second(70));
  EXPECT_EQ(passed->expected_at, Second(60));
  EXPECT_EQ(passed->judged_at, Second(71));
  EXPECT_EQ(passed->failures, 1);
  EXPECT_EQ(passed->threshold, 2);
  EXPECT_EQ(passed->settings, "every 1m, grace 10s, 2 failures in a row");
}

TEST(PassedDeadline, OneThatAnOwnOutageMovedSaysFromWhen) {
  MonitorDefinition definition = MinuteMonitor();
  definition.failure_threshold = 2;
  const auto passed =
      Judge(definition, UpSince(Second(0)), {CoreGap(Second(40), Second(50))}, Second(111));
  ASSERT_TRUE(passed.has_value());
  EXPECT_EQ(passed->at, Second(110));
  EXPECT_EQ(passed->plain, Second(60));
}

TEST(PassedDeadline, AnExcusedFireTimeIsKept) {
  MonitorDefinition definition = MinuteMonitor();
  definition.schedule = CronSchedule("5 * * * *", absl::Seconds(10), "Europe/Paris");
  const auto passed =
      Judge(definition, UpSince(Second(0)), {CoreGap(Second(295), Second(305))}, Second(320));
  ASSERT_TRUE(passed.has_value());
  EXPECT_EQ(passed->reason, Reason::kExcused);
  EXPECT_EQ(passed->settings, "cron 5 * * * * in Europe/Paris, grace 10s");
}

TEST(PassedDeadline, WhatOpensAndIsHeldBackIsKept) {
  const Gap mute = {.kind = GapKind::kMute, .start = Second(30), .end = Second(600)};
  const auto passed = Judge(MinuteMonitor(), UpSince(Second(0)), {mute}, Second(61));
  ASSERT_TRUE(passed.has_value());
  EXPECT_EQ(passed->reason, Reason::kMissed);
  EXPECT_EQ(passed->held_until, Second(600));
}

}  // namespace
}  // namespace tocsin::core
