// How the engine's time follows the database's.
#include "services/core/engine/database_clock.h"

#include <gtest/gtest.h>

#include "common/testing/fake_clock.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

// A database that takes its time to answer.
class SlowStore : public MemoryStore {
 public:
  SlowStore(const Clock& clock, FakeMonotonicClock& monotonic)
      : MemoryStore(clock), monotonic_(monotonic) {}
  absl::StatusOr<absl::Time> ReadDatabaseClock() override {
    absl::StatusOr<absl::Time> answer = MemoryStore::ReadDatabaseClock();
    monotonic_.Advance(round_trip);
    return answer;
  }
  absl::Duration round_trip;

 private:
  FakeMonotonicClock& monotonic_;
};

class DatabaseClockTest : public ::testing::Test {
 protected:
  FakeMonotonicClock monotonic_;
  FakeClock own_;
  FakeClock database_;
  SlowStore store_{database_, monotonic_};
  DatabaseClock clock_{monotonic_, own_};
};

TEST_F(DatabaseClockTest, ShowsTheMachinesTimeUntilItFollows) {
  own_.Advance(absl::Seconds(3));
  EXPECT_EQ(clock_.Now(), TestEpoch() + absl::Seconds(3));
}

TEST_F(DatabaseClockTest, JumpsForwardToTheDatabasesTimeAndRunsOnTheMonotonicClock) {
  database_.Advance(absl::Seconds(10));
  ASSERT_TRUE(clock_.Follow(store_).ok());
  EXPECT_EQ(clock_.Now(), TestEpoch() + absl::Seconds(10));
  own_.Advance(absl::Hours(1));  // somebody set the machine's clock
  monotonic_.Advance(absl::Seconds(1));
  EXPECT_EQ(clock_.Now(), TestEpoch() + absl::Seconds(11));
}

TEST_F(DatabaseClockTest, TheAnswerCountsForTheMiddleOfTheRoundTrip) {
  store_.round_trip = absl::Milliseconds(100);
  ASSERT_TRUE(clock_.Follow(store_).ok());
  EXPECT_EQ(clock_.Now(), TestEpoch() + absl::Milliseconds(50));
}

TEST_F(DatabaseClockTest, AnAnswerThatTookTooLongIsNotUsed) {
  database_.Advance(absl::Seconds(10));
  store_.round_trip = absl::Milliseconds(300);
  EXPECT_EQ(clock_.Follow(store_).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(clock_.Now(), TestEpoch());
}

TEST_F(DatabaseClockTest, NeverGoesBackAndPassesSlowlyWhileItIsAhead) {
  ASSERT_TRUE(clock_.Follow(store_).ok());
  monotonic_.Advance(absl::Seconds(60));
  const absl::Time ahead = clock_.Now();
  database_.Advance(absl::Seconds(30));  // 30 s less than the monotonic clock says
  ASSERT_TRUE(clock_.Follow(store_).ok());
  EXPECT_EQ(clock_.Now(), ahead);
  monotonic_.Advance(absl::Seconds(10));
  EXPECT_EQ(clock_.Now(), ahead + absl::Milliseconds(100));
  monotonic_.Advance(absl::Seconds(50));  // the database has overtaken it
  EXPECT_EQ(clock_.Now(), TestEpoch() + absl::Seconds(90));
}

TEST_F(DatabaseClockTest, TellsHowFarTheMachinesClockIsOff) {
  database_.Advance(absl::Seconds(2));
  ASSERT_TRUE(clock_.Follow(store_).ok());
  EXPECT_EQ(clock_.Offset(), absl::Seconds(2));
}

}  // namespace
}  // namespace tocsin::core
