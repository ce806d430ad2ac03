// Pushes that waited unseen, while the gateway may have sent them to another core.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/simulation/recorder_fixture.h"

namespace tocsin::core {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::SizeIs;

using PushRecorderFreezeTest = PushRecorderTest;

TEST_F(PushRecorderFreezeTest, APushThatWasReadAfterAFreezeIsStoredOnceEvenIfAnotherCoreHasIt) {
  recorder_.Start();
  PushOne(Item(1));
  clock_.Advance(absl::Seconds(1));
  PushItem sent = Item(1);
  sent.heartbeat.push_id = 77;
  PushItem elsewhere = sent;
  elsewhere.retried = true;
  PushOne(elsewhere);
  clock_.Advance(absl::Seconds(1));
  PushOne(Item(1));
  // The core that had the original in its socket thaws and stamps it anew.
  clock_.Advance(absl::Seconds(3));
  monotonic_.Advance(absl::Seconds(4));
  sent.heartbeat.at = clock_.Now();
  EXPECT_EQ(PushOne(sent).result, PushResult::kRecorded);
  EXPECT_THAT(History(job_), SizeIs(3));
}

TEST_F(PushRecorderFreezeTest, TouchesThatTakeSecondsInABusyDatabaseAreNoFreeze) {
  recorder_.Start();
  PushOne(Item(1));
  for (int i = 0; i < 3; ++i) {
    monotonic_.Advance(absl::Milliseconds(500));
    Touch([this] {
      for (int tick = 0; tick < 20; ++tick) {
        monotonic_.Advance(absl::Milliseconds(250));
        recorder_.NoteAwake();
      }
    });
  }
  clock_.Advance(absl::Seconds(3));
  PushOne(Item(1));
  EXPECT_EQ(metrics_.fast_path.Value(), 1);
}

TEST_F(PushRecorderFreezeTest, ATouchIsASignOfBeingAwake) {
  recorder_.Start();
  PushOne(Item(1));
  for (int i = 0; i < 2; ++i) {
    clock_.Advance(absl::Milliseconds(600));
    monotonic_.Advance(absl::Milliseconds(600));
    if (i == 0) Touch([] {});
  }
  PushOne(Item(1));
  EXPECT_EQ(metrics_.fast_path.Value(), 1);
}

TEST_F(PushRecorderFreezeTest, AFreezeInTheMiddleOfATouchIsOne) {
  recorder_.Start();
  PushOne(Item(1));
  Touch([this] { monotonic_.Advance(absl::Seconds(2)); });
  recorder_.NoteAwake();
  clock_.Advance(absl::Seconds(2));
  PushOne(Item(1));
  EXPECT_EQ(metrics_.fast_path.Value(), 0);
}

TEST_F(PushRecorderFreezeTest, WhatWasNotReadBetweenTwoFreezesHasWaitedForBoth) {
  recorder_.Start();
  PushItem sent = Item(1);
  PushItem elsewhere = sent;
  elsewhere.retried = true;
  PushOne(elsewhere);
  for (int i = 0; i < 2; ++i) {
    clock_.Advance(absl::Seconds(10));
    monotonic_.Advance(absl::Seconds(10));
    recorder_.NoteAwake();
    monotonic_.Advance(absl::Milliseconds(100));
  }
  sent.heartbeat.at = clock_.Now();
  EXPECT_EQ(PushOne(sent).result, PushResult::kUnavailable);
  EXPECT_THAT(History(job_), SizeIs(1));
}

TEST_F(PushRecorderFreezeTest, AfterALongFreezeNothingIsRecordedThatMayHaveWaitedUnseen) {
  recorder_.Start();
  PushItem sent = Item(1);
  sent.heartbeat.push_id = 77;
  PushItem elsewhere = sent;
  elsewhere.retried = true;
  PushOne(elsewhere);
  // Longer than a push is looked for in the history.
  clock_.Advance(absl::Seconds(20));
  monotonic_.Advance(absl::Seconds(20));
  sent.heartbeat.at = clock_.Now();
  EXPECT_EQ(PushOne(sent).result, PushResult::kUnavailable);
  EXPECT_THAT(History(job_), SizeIs(1));
  clock_.Advance(absl::Seconds(2));
  for (int i = 0; i < 8; ++i) {
    monotonic_.Advance(absl::Milliseconds(250));
    recorder_.NoteAwake();
  }
  EXPECT_EQ(PushOne(Item(1)).result, PushResult::kRecorded);
}

// The gateway gave up waiting for the first, and another core has it.
TEST_F(PushRecorderFreezeTest, UpsThatWaitedLongTogetherAreStoredOnceEvenIfAnotherCoreHasSome) {
  recorder_.Start();
  PushOne(Item(1));
  std::vector<PushItem> items;
  for (int i = 0; i < 2; ++i) {
    clock_.Advance(absl::Milliseconds(100));
    items.push_back(Item(1));
  }
  PushItem elsewhere = items[0];
  elsewhere.retried = true;
  PushOne(elsewhere);
  clock_.Advance(absl::Milliseconds(800));
  EXPECT_THAT(Push(items), Each(Field(&PushAnswer::result, PushResult::kRecorded)));
  EXPECT_THAT(History(job_), SizeIs(3));
  EXPECT_EQ(metrics_.Heartbeats(HeartbeatKind::kUp, "duplicate").Value(), 1);
}

TEST_F(PushRecorderFreezeTest, ALoneUpThatWaitedLongTakesTheFastPathThatKnowsTheLastPush) {
  recorder_.Start();
  PushOne(Item(1));
  clock_.Advance(absl::Milliseconds(100));
  const PushItem item = Item(1);
  clock_.Advance(absl::Seconds(2));
  EXPECT_EQ(PushOne(item).result, PushResult::kRecorded);
  EXPECT_EQ(metrics_.fast_path.Value(), 1);
  EXPECT_EQ(PushOne(item).result, PushResult::kRecorded);
  EXPECT_THAT(History(job_), SizeIs(2));
}

}  // namespace
}  // namespace tocsin::core
