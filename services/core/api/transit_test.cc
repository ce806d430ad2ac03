// What is found out about messages that were long on their way.
#include "services/core/api/transit.h"

#include <gtest/gtest.h>

namespace tocsin::core {
namespace {

using absl::Milliseconds;
using absl::Seconds;

// The sender's clock is this much behind ours.
constexpr absl::Duration kApart = absl::Hours(5);

class TransitTest : public ::testing::Test {
 protected:
  absl::Duration Excess(absl::Duration sent, absl::Duration on_its_way) {
    return transit_.Excess(sent, sent + kApart + on_its_way);
  }

  Transit transit_;
};

TEST_F(TransitTest, TheFirstMessageTellsNothing) {
  EXPECT_EQ(Excess(Seconds(1), Seconds(9)), absl::ZeroDuration());
}

TEST_F(TransitTest, ASlowMessageIsComparedWithTheQuickest) {
  Excess(Seconds(1), Milliseconds(3));
  EXPECT_EQ(Excess(Seconds(2), Milliseconds(1)), absl::ZeroDuration());
  EXPECT_EQ(Excess(Seconds(3), Milliseconds(5)), Milliseconds(4));
}

TEST_F(TransitTest, WhatWaitedThroughALongStandstillIsFoundOut) {
  Excess(Seconds(1), Milliseconds(1));
  // Ours stood still for an hour; then come all that were sent when it began, and the next one.
  EXPECT_EQ(Excess(Seconds(2), absl::Hours(1)), absl::Hours(1) - Milliseconds(1));
  EXPECT_EQ(Excess(Seconds(3), absl::Hours(1) - Seconds(1)),
            absl::Hours(1) - Seconds(1) - Milliseconds(1));
  EXPECT_EQ(Excess(absl::Hours(1) + Seconds(4), Milliseconds(2)), Milliseconds(1));
}

TEST_F(TransitTest, ClocksThatDriftApartAreFollowed) {
  // 100 µs a second is as bad as quartz gets.
  for (int second = 0; second < 86'400; ++second) {
    ASSERT_LE(Excess(Seconds(second), absl::Microseconds(100) * second), Milliseconds(12));
  }
}

}  // namespace
}  // namespace tocsin::core
