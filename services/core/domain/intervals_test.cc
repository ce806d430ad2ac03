// Lists of intervals.
#include "services/core/domain/intervals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Second;

Interval Of(double start, double end) { return {.start = Second(start), .end = Second(end)}; }

TEST(Intervals, ThoseThatOverlapOrTouchBecomeOneAndEmptyOnesGo) {
  EXPECT_THAT(Merged({Of(5, 6), Of(0, 2), Of(1, 3), Of(3, 4), Of(9, 9), Of(8, 7)}),
              ElementsAre(Of(0, 4), Of(5, 6)));
  EXPECT_THAT(Merged({}), IsEmpty());
}

TEST(Intervals, WhatIsTakenAwayLeavesTheParts) {
  EXPECT_THAT(Without({Of(0, 10), Of(20, 30)}, {Of(-1, 1), Of(3, 4), Of(9, 21), Of(29, 40)}),
              ElementsAre(Of(1, 3), Of(4, 9), Of(21, 29)));
  EXPECT_THAT(Without({Of(0, 10)}, {Of(-1, 11)}), IsEmpty());
  EXPECT_THAT(Without({Of(0, 10)}, {}), ElementsAre(Of(0, 10)));
}

TEST(Intervals, AWindowCutsThem) {
  const Intervals intervals = {Of(0, 10), Of(20, 30), Of(40, 50)};
  EXPECT_THAT(Within(intervals, Of(5, 45)), ElementsAre(Of(5, 10), Of(20, 30), Of(40, 45)));
  EXPECT_THAT(Within(intervals, Of(10, 20)), IsEmpty());
  EXPECT_EQ(LengthOf(intervals), absl::Seconds(30));
}

TEST(Intervals, TheyMeetASpanThatSharesAnInstant) {
  const Intervals intervals = {Of(0, 10), Of(20, 30)};
  EXPECT_TRUE(Meet(intervals, Of(9, 15)));
  EXPECT_TRUE(Meet(intervals, Of(15, 21)));
  EXPECT_TRUE(Meet(intervals, Of(-5, 50)));
  EXPECT_FALSE(Meet(intervals, Of(10, 20)));
  EXPECT_TRUE(Meet(intervals, Of(20, 20)));
  EXPECT_FALSE(Meet(intervals, Of(10, 10)));
}

TEST(Intervals, TheyCoverASpanThatLiesInOneOfThem) {
  const Intervals intervals = {Of(0, 10), Of(20, 30)};
  EXPECT_TRUE(Cover(intervals, Of(0, 10)));
  EXPECT_FALSE(Cover(intervals, Of(0, 11)));
  EXPECT_FALSE(Cover(intervals, Of(5, 25)));
  EXPECT_TRUE(Cover(intervals, Of(0, 0)));
  EXPECT_FALSE(Cover(intervals, Of(10, 10)));
}

}  // namespace
}  // namespace tocsin::core
