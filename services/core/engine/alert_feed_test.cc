// The feed of alert events: positions, cursors and watchers.
#include "services/core/engine/alert_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/fake_clock.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class AlertFeedTest : public ::testing::Test {
 protected:
  void AddEvents(int count) {
    const absl::Status status =
        store_.Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
          for (int i = 0; i < count; ++i) {
            AlertEvent event;
            event.project = project_;
            event.occurred_at = clock_.Now();
            event.detected_at = clock_.Now();
            if (auto key = transaction.AddEvent(event); !key.ok()) return key.status();
          }
          return absl::OkStatus();
        });
    ASSERT_TRUE(status.ok()) << status;
  }

  FakeClock clock_;
  MemoryStore store_{clock_};
  AlertFeed feed_{store_};
  const ProjectKey project_ = **store_.FindProject("default");
};

TEST_F(AlertFeedTest, AnEmptyCursorBeginsAtTheEnd) {
  AddEvents(2);
  feed_.Tick();
  const FeedEnd place = *feed_.Begin("");
  EXPECT_EQ(place.position, 2);
  EXPECT_THAT(feed_.Read(project_, place, 10)->entries, IsEmpty());
  AddEvents(1);
  feed_.Tick();
  EXPECT_THAT(feed_.Read(project_, place, 10)->entries, SizeIs(1));
}

TEST_F(AlertFeedTest, ACursorResumesWhereItWas) {
  AddEvents(3);
  feed_.Tick();
  FeedEnd first = *feed_.Begin("");
  first.position = 1;
  const FeedEnd place = *feed_.Begin(FormatCursor(first));
  EXPECT_EQ(place.position, 1);
  EXPECT_THAT(feed_.Read(project_, place, 10)->entries, SizeIs(2));
  EXPECT_THAT(feed_.Read(project_, place, 1)->entries, SizeIs(1));
}

TEST_F(AlertFeedTest, WhatOthersWroteIsLookedAtOnceAndInParts) {
  const FeedEnd begin = *feed_.Begin("");
  AddEvents(30'000);
  for (int i = 0; i < 5; ++i) feed_.Tick();
  const ProjectKey quiet = project_ + 1;
  const FeedBatch first = *feed_.Read(quiet, begin, 10);
  EXPECT_THAT(first.entries, IsEmpty());
  EXPECT_EQ(first.read_to, 20'000);
  EXPECT_TRUE(first.more);
  FeedEnd place = begin;
  place.position = first.read_to;
  const FeedBatch second = *feed_.Read(quiet, place, 10);
  EXPECT_EQ(second.read_to, 30'000);
  EXPECT_FALSE(second.more);
}

TEST_F(AlertFeedTest, ABatchThatIsFullEndsWithItsLastEvent) {
  const FeedEnd begin = *feed_.Begin("");
  AddEvents(3);
  feed_.Tick();
  const FeedBatch batch = *feed_.Read(project_, begin, 2);
  EXPECT_EQ(batch.read_to, 2);
  EXPECT_TRUE(batch.more);
}

TEST_F(AlertFeedTest, ACursorOfAnotherDatabaseIsUnknown) {
  EXPECT_EQ(feed_.Begin("another.0").status().code(), absl::StatusCode::kOutOfRange);
}

TEST_F(AlertFeedTest, ACursorBeyondTheEndIsUnknown) {
  FeedEnd end = *feed_.Begin("");
  end.position += 1;
  EXPECT_EQ(feed_.Begin(FormatCursor(end)).status().code(), absl::StatusCode::kOutOfRange);
}

TEST_F(AlertFeedTest, WhatIsNoCursorIsRefused) {
  for (const char* cursor :
       {"x", ".", ".5", "a.", "a.-1", "a.b", "a.01", "a. 1", "a.99999999999999999999"}) {
    EXPECT_EQ(ParseCursor(cursor).status().code(), absl::StatusCode::kInvalidArgument) << cursor;
  }
}

TEST_F(AlertFeedTest, WatchersAreWokenOnlyByNewEvents) {
  feed_.Tick();
  int woken = 0;
  feed_.AddWatcher([&woken] { ++woken; });
  feed_.Tick();
  EXPECT_EQ(woken, 0);
  AddEvents(1);
  EXPECT_EQ(feed_.Tick(), absl::Seconds(1));
  EXPECT_EQ(woken, 1);
}

TEST_F(AlertFeedTest, EventsThatAnotherReplicaPlacedWakeToo) {
  feed_.Tick();
  int woken = 0;
  feed_.AddWatcher([&woken] { ++woken; });
  AddEvents(1);
  ASSERT_EQ(*store_.SequenceFeed(10), 1);
  feed_.Tick();
  EXPECT_EQ(woken, 1);
}

TEST_F(AlertFeedTest, ARemovedWatcherIsNotWoken) {
  int woken = 0;
  feed_.RemoveWatcher(feed_.AddWatcher([&woken] { ++woken; }));
  AddEvents(1);
  feed_.Tick();
  EXPECT_EQ(woken, 0);
}

TEST_F(AlertFeedTest, ALargeBacklogIsPlacedInBoundedTicks) {
  AddEvents(10'001);
  EXPECT_EQ(feed_.Tick(), absl::ZeroDuration());
  EXPECT_EQ(feed_.Begin("")->position, 10'000);
  EXPECT_EQ(feed_.Tick(), absl::Seconds(1));
  EXPECT_EQ(feed_.Begin("")->position, 10'001);
}

}  // namespace
}  // namespace tocsin::core
