// Tells how the dispatcher shares its slots among channels.
#include "services/notifier/delivery/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace tocsin::notifier {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DispatcherTest : public testing::Test {
 protected:
  void Make(const DispatcherOptions& options) {
    dispatcher_ = std::make_unique<Dispatcher>(options, absl::BitGen());
  }
  void Add(uint64_t ticket, const std::string& channel, absl::Duration lease = absl::Seconds(20)) {
    dispatcher_->Add({ticket, channel, now_ + lease});
  }
  std::vector<uint64_t> Begun() { return dispatcher_->Poll(now_).begin; }
  void Finish(uint64_t ticket, Outcome outcome, std::optional<absl::Duration> hold = std::nullopt) {
    dispatcher_->Finish(ticket, outcome, hold, now_);
  }
  // Makes the channel one that has succeeded.
  void Prove(const std::string& channel) {
    Add(999'999, channel);
    ASSERT_THAT(Begun(), ElementsAre(999'999));
    Finish(999'999, Outcome::kOk);
  }
  void OpenBreaker(const std::string& channel) {
    for (uint64_t i = 0; i < 5; ++i) {
      Add(900'000 + i, channel);
      ASSERT_THAT(Begun(), ElementsAre(900'000 + i));
      Finish(900'000 + i, Outcome::kTimeout);
    }
    ASSERT_EQ(dispatcher_->breakers_open(), 1);
  }

  absl::Duration now_ = absl::Hours(1);
  std::unique_ptr<Dispatcher> dispatcher_ =
      std::make_unique<Dispatcher>(DispatcherOptions{}, absl::BitGen());
};

TEST_F(DispatcherTest, BeginsInTheOrderOfAddAndTakesTurnsAmongChannels) {
  Prove("a");
  Prove("b");
  Add(1, "a");
  Add(2, "a");
  Add(3, "a");
  Add(4, "b");
  Add(5, "b");
  EXPECT_THAT(Begun(), ElementsAre(1, 4, 2, 5, 3));
}

TEST_F(DispatcherTest, GivesAChannelThatNeverSucceededOneRequestAtATime) {
  Add(1, "new");
  Add(2, "new");
  EXPECT_THAT(Begun(), ElementsAre(1));
  Finish(1, Outcome::kOk);
  Add(3, "new");
  EXPECT_THAT(Begun(), ElementsAre(2, 3));
}

TEST_F(DispatcherTest, RaisesTheCapOfAFastReceiverUpToTheWholeConcurrency) {
  Prove("fast");
  uint64_t next = 1;
  size_t widest = 0;
  std::vector<uint64_t> running;
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 70; ++i) Add(next++, "fast", absl::Hours(1));
    for (uint64_t ticket : Begun()) running.push_back(ticket);
    widest = std::max(widest, running.size());
    for (uint64_t ticket : running) Finish(ticket, Outcome::kOk);
    running.clear();
  }
  EXPECT_EQ(widest, 64u);
}

TEST_F(DispatcherTest, KeepsTheCapOfASlowReceiver) {
  Prove("slow");
  for (uint64_t i = 1; i <= 40; ++i) Add(i, "slow", absl::Hours(1));
  for (int round = 0; round < 4; ++round) {
    const std::vector<uint64_t> begun = Begun();
    EXPECT_EQ(begun.size(), 4u);
    now_ += absl::Seconds(1);
    for (uint64_t ticket : begun) Finish(ticket, Outcome::kOk);
  }
}

TEST_F(DispatcherTest, ReceiversThatHangTakeNoSlotsFromPromptOnes) {
  Prove("prompt");
  for (uint64_t i = 0; i < 500; ++i) Add(1'000 + i, absl::StrCat("dead", i));
  EXPECT_EQ(Begun().size(), 64u);
  Add(1, "prompt");
  EXPECT_THAT(Begun(), IsEmpty());
  EXPECT_EQ(dispatcher_->NextWake(), now_ + absl::Milliseconds(250));
  // Those that hang are moved out of the way, again and again, and the prompt one has its turn.
  bool begun = false;
  for (int round = 0; round < 9 && !begun; ++round) {
    now_ += absl::Milliseconds(250);
    const std::vector<uint64_t> tickets = Begun();
    begun = std::find(tickets.begin(), tickets.end(), 1u) != tickets.end();
  }
  EXPECT_TRUE(begun);
  Finish(1, Outcome::kOk);
  // From then on they are known, and the prompt one never waits.
  now_ += absl::Seconds(10);
  for (uint64_t i = 0; i < 500; ++i) Finish(1'000 + i, Outcome::kTimeout);
  for (uint64_t i = 0; i < 500; ++i) Add(2'000 + i, absl::StrCat("dead", i));
  Add(2, "prompt");
  EXPECT_THAT(Begun(), testing::Contains(2));
  EXPECT_EQ(dispatcher_->in_flight(), 501);
}

TEST_F(DispatcherTest, AnOpenBreakerHandsBackWhatWaitsWithoutAnAttempt) {
  OpenBreaker("dead");
  Add(1, "dead");
  Add(2, "dead");
  const Dispatcher::Decisions decisions = dispatcher_->Poll(now_);
  EXPECT_THAT(decisions.begin, IsEmpty());
  ASSERT_EQ(decisions.defer.size(), 2u);
  for (const Dispatcher::Deferral& deferral : decisions.defer) {
    EXPECT_EQ(deferral.outcome, Outcome::kCircuitOpen);
    EXPECT_GE(deferral.retry_after, absl::Seconds(4));
    EXPECT_LE(deferral.retry_after, absl::Seconds(5.5));
  }
}

TEST_F(DispatcherTest, ALongPauseHandsBackForAShortTimeSinceAnotherMayReachTheReceiver) {
  OpenBreaker("dead");
  for (uint64_t i = 1; i <= 6; ++i) {
    now_ += absl::Minutes(3);
    Add(i, "dead");
    ASSERT_THAT(Begun(), ElementsAre(i));
    Finish(i, Outcome::kTimeout);
  }
  Add(7, "dead");
  const Dispatcher::Decisions decisions = dispatcher_->Poll(now_);
  ASSERT_EQ(decisions.defer.size(), 1u);
  EXPECT_GE(decisions.defer[0].retry_after, absl::Seconds(15));
  EXPECT_LE(decisions.defer[0].retry_after, absl::Seconds(16.5));
}

TEST_F(DispatcherTest, AfterThePauseOneProbeDecidesForTheRest) {
  OpenBreaker("dead");
  now_ += absl::Seconds(5);
  Add(1, "dead");
  Add(2, "dead");
  EXPECT_THAT(Begun(), ElementsAre(1));
  Finish(1, Outcome::kTimeout);
  ASSERT_EQ(dispatcher_->Poll(now_).defer.size(), 1u);
  now_ += absl::Seconds(10);
  Add(3, "dead");
  Add(4, "dead");
  EXPECT_THAT(Begun(), ElementsAre(3));
  Finish(3, Outcome::kOk);
  EXPECT_THAT(Begun(), ElementsAre(4));
  EXPECT_EQ(dispatcher_->breakers_open(), 0);
}

TEST_F(DispatcherTest, RetryAfterHoldsTheChannelAndIsNoFailure) {
  for (uint64_t i = 1; i <= 10; ++i) {
    Add(i, "limited");
    ASSERT_THAT(Begun(), ElementsAre(i));
    Finish(i, Outcome::kStatus4xx, absl::Seconds(2));
    Add(100 + i, "limited");
    const Dispatcher::Decisions decisions = dispatcher_->Poll(now_);
    ASSERT_EQ(decisions.defer.size(), 1u);
    EXPECT_GE(decisions.defer[0].retry_after, absl::Seconds(2));
    now_ += absl::Seconds(2);
  }
  EXPECT_EQ(dispatcher_->breakers_open(), 0);
}

TEST_F(DispatcherTest, AMessageThatIsRefusedForGoodHoldsUpNoOther) {
  for (uint64_t i = 1; i <= 10; ++i) {
    Add(i, "picky");
    ASSERT_THAT(Begun(), ElementsAre(i));
    Finish(i, Outcome::kRejected);
  }
  EXPECT_EQ(dispatcher_->breakers_open(), 0);
}

TEST_F(DispatcherTest, AHoldIsBounded) {
  Add(1, "limited");
  ASSERT_THAT(Begun(), ElementsAre(1));
  Finish(1, Outcome::kStatus4xx, absl::Hours(5));
  now_ += absl::Minutes(1);
  Add(2, "limited");
  EXPECT_THAT(Begun(), ElementsAre(2));
}

TEST_F(DispatcherTest, WhatCannotBeginWithinItsLeaseIsHandedBack) {
  Add(1, "new", absl::Seconds(10));
  Add(2, "new", absl::Seconds(10));
  EXPECT_THAT(Begun(), ElementsAre(1));
  EXPECT_EQ(dispatcher_->NextWake(), now_ + absl::Seconds(10) + absl::Microseconds(1));
  now_ += absl::Seconds(10) + absl::Microseconds(1);
  const Dispatcher::Decisions decisions = dispatcher_->Poll(now_);
  ASSERT_EQ(decisions.defer.size(), 1u);
  EXPECT_EQ(decisions.defer[0].ticket, 2u);
  EXPECT_EQ(decisions.defer[0].outcome, Outcome::kExpiredLease);
  EXPECT_EQ(dispatcher_->queued(), 0u);
}

TEST_F(DispatcherTest, GoneOpensTheBreakerAtOnce) {
  Prove("gone");
  Add(1, "gone");
  ASSERT_THAT(Begun(), ElementsAre(1));
  Finish(1, Outcome::kGone);
  Add(2, "gone");
  EXPECT_EQ(dispatcher_->Poll(now_).defer.size(), 1u);
}

TEST_F(DispatcherTest, AnAbandonedProbeIsFollowedByAnother) {
  OpenBreaker("dead");
  now_ += absl::Seconds(5);
  Add(1, "dead");
  Add(2, "dead");
  EXPECT_THAT(Begun(), ElementsAre(1));
  dispatcher_->Abandon(1);
  EXPECT_THAT(Begun(), ElementsAre(2));
}

TEST_F(DispatcherTest, DrainHandsBackWhatWasNotBegun) {
  Add(1, "a");
  Add(2, "a");
  EXPECT_THAT(Begun(), ElementsAre(1));
  const std::vector<Dispatcher::Deferral> deferrals = dispatcher_->Drain();
  ASSERT_EQ(deferrals.size(), 1u);
  EXPECT_EQ(deferrals[0].ticket, 2u);
  EXPECT_EQ(dispatcher_->in_flight(), 1);
  Finish(1, Outcome::kOk);
  EXPECT_EQ(dispatcher_->in_flight(), 0);
  EXPECT_EQ(dispatcher_->NextWake(), absl::InfiniteDuration());
}

TEST_F(DispatcherTest, ForgetsIdleChannelsRatherThanGrowWithoutBound) {
  DispatcherOptions options;
  options.remembered_channels = 10;
  Make(options);
  for (uint64_t i = 0; i < 1'000; ++i) {
    Add(i, absl::StrCat("channel", i));
    ASSERT_THAT(Begun(), ElementsAre(i));
    Finish(i, i % 2 == 0 ? Outcome::kOk : Outcome::kGone);
    ASSERT_LE(dispatcher_->breakers_open(), 10);
  }
}

}  // namespace
}  // namespace tocsin::notifier
