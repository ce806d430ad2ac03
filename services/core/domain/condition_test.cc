// What people see of a monitor at the time of a read.
#include "services/core/domain/condition.h"

#include <gtest/gtest.h>

#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using testing::MinuteMonitor;
using testing::Second;
using testing::UpSince;

Condition At(const MonitorDefinition& definition, const MonitorState& state, double now) {
  return ConditionOf(definition, state, {}, Second(now)).condition;
}

TEST(Condition, OfUpIsLatePastTheTimeoutAndWithinTheGrace) {
  MonitorDefinition definition = MinuteMonitor();
  definition.schedule.grace = absl::Seconds(10);
  EXPECT_EQ(At(definition, UpSince(Second(0)), 60), Condition::kUp);
  EXPECT_EQ(At(definition, UpSince(Second(0)), 61), Condition::kLate);
  EXPECT_EQ(ConditionOf(definition, UpSince(Second(0)), {}, Second(1)).deadline.at, Second(70));
}

TEST(Condition, OfNewIsNeverReportedWhenItsScheduleHasRunOut) {
  EXPECT_EQ(At(MinuteMonitor(), MonitorState{}, 60), Condition::kNew);
  EXPECT_EQ(At(MinuteMonitor(), MonitorState{}, 61), Condition::kNeverReported);
  MonitorState armed;
  armed.armed_at = Second(100);
  EXPECT_EQ(At(MinuteMonitor(), armed, 160), Condition::kNew);
  EXPECT_EQ(At(MinuteMonitor(), armed, 161), Condition::kNeverReported);
}

TEST(Condition, OfDownPausedAndRunningSaysSo) {
  MonitorState state = UpSince(Second(0));
  state.runs.push_back({.id = "", .started_at = Second(30)});
  EXPECT_EQ(At(MinuteMonitor(), state, 100), Condition::kRunning);
  state.state = State::kDown;
  EXPECT_EQ(At(MinuteMonitor(), state, 100), Condition::kDown);
  state.state = State::kPaused;
  EXPECT_EQ(At(MinuteMonitor(), state, 100), Condition::kPaused);
}

TEST(Condition, IsUnverifiedAfterAnOwnOutageUntilTheNextHeartbeat) {
  const GapList gaps = {testing::CoreGap(Second(40), Second(50))};
  EXPECT_TRUE(ConditionOf(MinuteMonitor(), UpSince(Second(0)), gaps, Second(55)).unverified);
  EXPECT_FALSE(ConditionOf(MinuteMonitor(), UpSince(Second(52)), gaps, Second(55)).unverified);
}

}  // namespace
}  // namespace tocsin::core
