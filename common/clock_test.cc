// Clocks keep whole microseconds and fakes move only when told.
#include "common/clock.h"

#include <gtest/gtest.h>

#include "common/testing/fake_clock.h"

namespace tocsin {
namespace {

TEST(ClockTest, TruncatesTowardsThePastToWholeMicroseconds) {
  const absl::Time t = absl::FromUnixMicros(7);
  EXPECT_EQ(TruncateToMicros(t + absl::Nanoseconds(999)), t);
  EXPECT_EQ(TruncateToMicros(absl::FromUnixMicros(-7) + absl::Nanoseconds(1)),
            absl::FromUnixMicros(-7));
  EXPECT_EQ(TruncateToMicros(absl::InfiniteFuture()), absl::InfiniteFuture());
}

TEST(ClockTest, SystemClockGivesWholeMicroseconds) {
  const absl::Time now = SystemClock().Now();
  EXPECT_EQ(now, TruncateToMicros(now));
  EXPECT_GT(now, absl::FromUnixSeconds(1767225600));
}

TEST(ClockTest, MonotonicClockNeverGoesBack) {
  SystemMonotonicClock clock;
  const absl::Duration first = clock.Now();
  EXPECT_GE(clock.Now(), first);
}

TEST(ClockTest, FakesMoveOnlyWhenTold) {
  FakeClock clock(absl::FromUnixSeconds(10));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(10));
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(15));
  clock.Set(absl::FromUnixSeconds(3));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(3));
  FakeMonotonicClock monotonic;
  monotonic.Advance(absl::Milliseconds(2));
  EXPECT_EQ(monotonic.Now(), absl::Milliseconds(2));
}

}  // namespace
}  // namespace tocsin
