// Which committer may take what.
#include "services/core/engine/push_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PushQueueTest : public ::testing::Test {
 protected:
  // A push of the token; what it says is its name.
  void Add(uint8_t token, const std::string& name) {
    QueuedPush push;
    push.item.token = {};
    push.item.token.back() = token;
    push.item.heartbeat.message = name;
    queue_.Add(std::move(push));
  }
  void AddTouch() {
    queue_.AddTouch({.body = [](Transaction&) { return absl::OkStatus(); }, .done = {}});
  }
  // The names of what the committer takes; "touch" for one.
  std::vector<std::string> Take(int committer, size_t limit = 10) {
    groups_[committer] = queue_.Take(committer, limit);
    std::vector<std::string> names;
    for (const QueuedPush& push : groups_[committer].entries) {
      names.push_back(push.item.heartbeat.message);
    }
    if (!groups_[committer].touch.empty()) names.push_back("touch");
    return names;
  }
  // Some of what it took, by position, is to be tried again.
  void Finish(int committer, const std::vector<size_t>& again = {}) {
    std::vector<QueuedPush*> pushes;
    for (const size_t i : again) pushes.push_back(&groups_[committer].entries.at(i));
    queue_.Finish(committer, pushes);
  }

  PushQueue queue_;
  PushQueue::Group groups_[kPushCommitters];
};

TEST_F(PushQueueTest, WhoeverIsFreeTakesWhatWaits) {
  EXPECT_FALSE(queue_.HasWork(0));
  for (uint8_t i = 0; i < 5; ++i) Add(i, std::to_string(i));
  EXPECT_TRUE(queue_.HasWork(1));
  EXPECT_THAT(Take(1, 3), ElementsAre("0", "1", "2"));
  EXPECT_THAT(Take(0, 3), ElementsAre("3", "4"));
  EXPECT_TRUE(queue_.empty());
  EXPECT_FALSE(queue_.HasWork(0));
}

TEST_F(PushQueueTest, PushesOfATokenThatAnotherHasWaitInOrder) {
  Add(1, "a");
  EXPECT_THAT(Take(0), ElementsAre("a"));
  Add(1, "b");
  Add(2, "c");
  Add(1, "d");
  EXPECT_THAT(Take(1), ElementsAre("c"));
  Finish(1);
  EXPECT_THAT(Take(1), IsEmpty());
  EXPECT_FALSE(queue_.HasWork(1)) << "until the other is through";
  Finish(0);
  EXPECT_TRUE(queue_.HasWork(1));
  EXPECT_THAT(Take(1), ElementsAre("b", "d"));
}

TEST_F(PushQueueTest, WhatIsTriedAgainComesFirstInItsOldOrder) {
  for (uint8_t i = 1; i <= 6; ++i) Add(i, std::to_string(i));
  EXPECT_THAT(Take(0, 2), ElementsAre("1", "2"));
  EXPECT_THAT(Take(1, 2), ElementsAre("3", "4"));
  Add(1, "1 again");
  Finish(0, {0, 1});
  Finish(1, {1});
  EXPECT_THAT(Take(0), ElementsAre("1", "2", "4", "5", "6", "1 again"));
}

TEST_F(PushQueueTest, APushIsNotOvertakenByOneOfItsTokenThatCameLater) {
  Add(1, "first");
  EXPECT_THAT(Take(0), ElementsAre("first"));
  Finish(0, {0});
  Add(1, "second");
  EXPECT_THAT(Take(1), ElementsAre("first", "second"));
}

TEST_F(PushQueueTest, ATouchRunsWhenAllThatCameBeforeItIsThrough) {
  Add(1, "a");
  Add(2, "b");
  AddTouch();
  Add(3, "c");
  EXPECT_THAT(Take(0, 1), ElementsAre("a"));
  EXPECT_THAT(Take(1, 1), ElementsAre("b"));
  Finish(1);
  EXPECT_THAT(Take(1), ElementsAre("c")) << "what came after it does not wait for it";
  Finish(0, {0});
  EXPECT_THAT(Take(0), ElementsAre("a"));
  Finish(0);
  EXPECT_TRUE(queue_.HasWork(0));
  EXPECT_THAT(Take(0), ElementsAre("touch"));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(PushQueueTest, AFloodOfOneTokenIsNotLookedAtForever) {
  Add(1, "a");
  EXPECT_THAT(Take(0), ElementsAre("a"));
  for (int i = 0; i < 100; ++i) Add(1, "flood");
  Add(2, "b");
  EXPECT_THAT(Take(1, 10), IsEmpty());
  EXPECT_FALSE(queue_.HasWork(1));
  Finish(0);
  EXPECT_EQ(Take(0, 100).size(), 100u);
  EXPECT_TRUE(queue_.HasWork(1));
  EXPECT_THAT(Take(1), ElementsAre("b"));
}

}  // namespace
}  // namespace tocsin::core
