// Tells from when leases count around a freeze.
#include "services/notifier/stream/lease_clock.h"

#include <gtest/gtest.h>

namespace tocsin::notifier {
namespace {

absl::Duration At(double seconds) { return absl::Seconds(seconds); }

TEST(LeaseClockTest, CountsFromTheReadingWhileTicksAreOnTime) {
  LeaseClock clock(At(0));
  for (int i = 1; i < 10; ++i) {
    clock.Tick(At(i));
    EXPECT_EQ(clock.ReadAt(At(i + 0.5)), At(i + 0.5));
  }
}

TEST(LeaseClockTest, CountsFromBeforeAFreezeWhoeverNoticesItFirst) {
  LeaseClock reader_first(At(0));
  reader_first.Tick(At(1));
  EXPECT_EQ(reader_first.ReadAt(At(21)), At(1));
  reader_first.Tick(At(21.1));
  EXPECT_EQ(reader_first.ReadAt(At(22)), At(1));
  EXPECT_EQ(reader_first.ReadAt(At(23.1)), At(23.1));

  LeaseClock tick_first(At(0));
  tick_first.Tick(At(1));
  tick_first.Tick(At(21));
  EXPECT_EQ(tick_first.ReadAt(At(21.1)), At(1));
  EXPECT_EQ(tick_first.ReadAt(At(22.9)), At(1));
  tick_first.Tick(At(22.9));
  EXPECT_EQ(tick_first.ReadAt(At(23)), At(23));
}

TEST(LeaseClockTest, TwoFreezesInARowAreOne) {
  LeaseClock clock(At(0));
  clock.Tick(At(1));
  clock.Tick(At(11));
  clock.Tick(At(11.5));
  clock.Tick(At(14.2));
  EXPECT_EQ(clock.ReadAt(At(14.5)), At(1));
  LeaseClock again(At(0));
  again.Tick(At(1));
  again.Tick(At(11));
  EXPECT_EQ(again.ReadAt(At(13.5)), At(1));
}

}  // namespace
}  // namespace tocsin::notifier
