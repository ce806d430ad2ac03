// Batches, retries and ends of pushes.
#include "gateway/core_link/dispatcher.h"

#include "gateway/core_link/testing/dispatcher_fixture.h"

namespace tocsin::gateway {
namespace {

TEST_F(DispatcherTest, AnIdleSystemSendsAtOnceAndABusyOneLetsBatchesForm) {
  const auto id = dispatcher_.Add(&a_);
  Push("1");
  Turn();
  ASSERT_EQ(a_.sent.size(), 1u);
  Push("2");
  Turn();
  ASSERT_EQ(a_.sent.size(), 2u);
  for (int i = 3; i <= 14; ++i) Push(std::to_string(i));
  Turn();
  EXPECT_EQ(a_.sent.size(), 2u) << "two are in flight";
  Answer(id, a_.sent[0]);
  Turn();
  ASSERT_EQ(a_.sent.size(), 3u);
  EXPECT_EQ(a_.sent[2].pushes_size(), 10);
  EXPECT_EQ(ResultOf("1"), PushResult::kRecorded);
}

TEST_F(DispatcherTest, EachPushGetsItsOutcome) {
  const auto id = dispatcher_.Add(&a_);
  for (const char* m : {"r", "p", "u", "i"}) Push(m);
  Turn();
  Answer(id, a_.sent[0], {kRecorded, kPaused, kUnknown, kInvalid});
  EXPECT_EQ(ResultOf("r"), PushResult::kRecorded);
  EXPECT_EQ(ResultOf("p"), PushResult::kRecordedPaused);
  EXPECT_EQ(ResultOf("u"), PushResult::kUnknownToken);
  EXPECT_EQ(ResultOf("i"), PushResult::kInvalid);
  EXPECT_EQ(dispatcher_.stats().pending, 0u);
}

TEST_F(DispatcherTest, SpreadsBatchesOverStreams) {
  dispatcher_.Add(&a_);
  dispatcher_.Add(&b_);
  for (int i = 0; i < 4; ++i) {
    Push(std::to_string(i));
    Turn();
  }
  EXPECT_EQ(a_.sent.size(), 2u);
  EXPECT_EQ(b_.sent.size(), 2u);
}

TEST_F(DispatcherTest, WhatABrokenStreamOwedIsSentElsewhereInOrder) {
  const auto a = dispatcher_.Add(&a_);
  for (const char* m : {"1", "2"}) Push(m);
  Turn();
  Push("3");
  Turn();
  const auto b = dispatcher_.Add(&b_);
  Push("4");
  dispatcher_.Remove(a, now_);
  Turn();
  ASSERT_EQ(b_.sent.size(), 1u);
  EXPECT_EQ(b_.Messages(0), (std::vector<std::string>{"1", "2", "3", "4"}));
  EXPECT_TRUE(b_.sent[0].pushes(0).retried());
  EXPECT_FALSE(b_.sent[0].pushes(3).retried());
  EXPECT_EQ(b_.sent[0].pushes(0).push_id(), a_.sent[0].pushes(0).push_id());
  Answer(b, b_.sent[0]);
  EXPECT_EQ(results_.size(), 4u);
  EXPECT_EQ(dispatcher_.stats().retries, 3);
}

TEST_F(DispatcherTest, AReplicaThatHangsLosesItsPushesToAnother) {
  const auto a = dispatcher_.Add(&a_);
  Push("1");
  Turn();
  const auto b = dispatcher_.Add(&b_);
  Pass(absl::Seconds(1));
  ASSERT_EQ(b_.sent.size(), 1u);
  EXPECT_TRUE(b_.sent[0].pushes(0).retried());
  Push("2");
  Turn();
  EXPECT_EQ(a_.sent.size(), 1u) << "nothing more for the one that hangs";
  EXPECT_EQ(b_.sent.size(), 2u);
  // It comes back: its late answer is good, and it is used again.
  Answer(a, a_.sent[0]);
  EXPECT_EQ(ResultOf("1"), PushResult::kRecorded);
  EXPECT_EQ(dispatcher_.stats().late_answers, 1);
  Answer(b, b_.sent[0]);
  Push("3");
  Push("4");
  Turn();
  EXPECT_EQ(a_.sent.size(), 2u);
}

TEST_F(DispatcherTest, LargeOutputsMakeSmallBatchesThatCoreCanRead) {
  Dispatcher dispatcher({.gateway_name = "gw", .sign_of_life = absl::InfiniteDuration()}, *this);
  const auto a = dispatcher.Add(&a_);
  for (int i = 0; i < 700; ++i) {
    PendingPush* push = dispatcher.Take();
    push->parameters.Clear();
    push->parameters.message = std::to_string(i) + std::string(4000, 'm');
    push->parameters.output.assign(kMaxOutputBytes, 'o');
    push->push_id = ++last_push_id_;
    push->received = now_;
    ASSERT_TRUE(dispatcher.Submit(push, now_));
  }
  for (size_t answered = 0; results_.size() < 700;) {
    dispatcher.OnTurn(now_);
    ASSERT_LT(answered, a_.sent.size());
    while (answered < a_.sent.size()) {
      EXPECT_LT(a_.sent[answered].ByteSizeLong(), 4U * 1024 * 1024);
      EXPECT_EQ(a_.sent[answered].pushes(0).output().size(), kMaxOutputBytes);
      Answer(dispatcher, a, a_.sent[answered++]);
    }
  }
  EXPECT_GE(a_.sent.size(), 3U);
}

TEST_F(DispatcherTest, WithNowhereElseToGoItWaitsForTheLateAnswer) {
  const auto a = dispatcher_.Add(&a_);
  Push("1");
  Turn();
  Pass(absl::Seconds(4));
  EXPECT_EQ(a_.sent.size(), 1u) << "a second copy would not come sooner";
  Answer(a, a_.sent[0]);
  EXPECT_EQ(ResultOf("1"), PushResult::kRecorded);
}

TEST_F(DispatcherTest, AStreamThatHangsForGoodIsReset) {
  dispatcher_.Add(&a_);
  Push("1");
  Turn();
  Pass(absl::Seconds(5.5));
  EXPECT_EQ(ResultOf("1"), PushResult::kUnavailable);
  EXPECT_FALSE(a_.reset);
  Pass(absl::Seconds(0.5));
  EXPECT_TRUE(a_.reset);
  EXPECT_FALSE(dispatcher_.connected());
  EXPECT_EQ(dispatcher_.stats().batches_in_flight, 0u);
}

TEST_F(DispatcherTest, UnavailableIsTriedAgainOnTheHealthyOne) {
  const auto a = dispatcher_.Add(&a_);
  Push("1");
  Push("2");
  Turn();
  const auto b = dispatcher_.Add(&b_);
  Answer(a, a_.sent[0], {kUnavailable, kRecorded});
  EXPECT_EQ(ResultOf("2"), PushResult::kRecorded);
  EXPECT_EQ(results_.count("1"), 0u);
  Turn();
  EXPECT_TRUE(b_.sent.empty()) << "after a moment";
  Pass(absl::Milliseconds(30));
  // The unhealthy time of the first one is over by then or not: one of them has it.
  ASSERT_EQ(a_.sent.size() + b_.sent.size(), 2u);
  if (b_.sent.empty()) {
    Answer(a, a_.sent[1]);
  } else {
    Answer(b, b_.sent[0]);
  }
  EXPECT_EQ(ResultOf("1"), PushResult::kRecorded);
}

TEST_F(DispatcherTest, WhoSaysUnavailableDoesNotAttractThePushes) {
  const auto a = dispatcher_.Add(&a_);
  dispatcher_.Add(&b_);
  Push("1");
  Turn();
  ASSERT_EQ(a_.sent.size(), 1u);
  Answer(a, a_.sent[0], {kUnavailable});
  for (int i = 2; i <= 3; ++i) {
    Push(std::to_string(i));
    Turn();
  }
  EXPECT_EQ(a_.sent.size(), 1u);
  EXPECT_EQ(b_.sent.size(), 2u);
  Push("4");
  Turn();
  EXPECT_EQ(a_.sent.size(), 1u) << "better to wait for the healthy one";
}

TEST_F(DispatcherTest, GivesUpAfterTheTimeoutButNotBefore) {
  const auto a = dispatcher_.Add(&a_);
  Push("1");
  Turn();
  while (now_ < absl::Seconds(1004.9)) {
    if (!a_.sent.empty()) {
      Answer(a, a_.sent.back(), {kUnavailable});
      a_.sent.clear();
    }
    Turn(absl::Milliseconds(10));
  }
  EXPECT_TRUE(results_.empty());
  EXPECT_GT(dispatcher_.stats().retries, 8);
  EXPECT_LT(dispatcher_.stats().retries, 25);
  Pass(absl::Milliseconds(200));
  EXPECT_EQ(ResultOf("1"), PushResult::kUnavailable);
}

TEST_F(DispatcherTest, WithoutAStreamAPushWaitsForOne) {
  Push("1");
  Turn();
  Pass(absl::Seconds(4));
  dispatcher_.Add(&a_);
  Turn();
  ASSERT_EQ(a_.sent.size(), 1u);
  EXPECT_EQ(a_.sent[0].pushes(0).age_micros(), 4'000'000u);
  EXPECT_FALSE(a_.sent[0].pushes(0).retried()) << "no core has seen it";
}

TEST_F(DispatcherTest, AnAnswerForAPushThatHasGoneIsIgnored) {
  const auto a = dispatcher_.Add(&a_);
  Push("1");
  Turn();
  Pass(absl::Seconds(5));
  EXPECT_EQ(ResultOf("1"), PushResult::kUnavailable);
  Push("2");  // takes the memory of the first one
  Answer(a, a_.sent[0]);
  EXPECT_EQ(results_.count("2"), 0u);
  Answer(a, a_.sent[0]);
  Answer(a + 7, a_.sent[0]);
}

TEST_F(DispatcherTest, AnAnswerThatIsTooShortLeavesTheRestInDoubt) {
  const auto a = dispatcher_.Add(&a_);
  Push("1");
  Push("2");
  Turn();
  Answer(a, a_.sent[0], {kRecorded});
  EXPECT_EQ(ResultOf("1"), PushResult::kRecorded);
  Pass(absl::Milliseconds(50));
  ASSERT_EQ(a_.sent.size(), 2u);
  EXPECT_EQ(a_.Messages(1), std::vector<std::string>{"2"});
}

TEST_F(DispatcherTest, ARetiredStreamGetsNothingNewAndIsFinishedWhenItOwesNothing) {
  const auto a = dispatcher_.Add(&a_);
  Push("1");
  Turn();
  dispatcher_.Retire(a);
  EXPECT_FALSE(dispatcher_.connected());
  dispatcher_.Add(&b_);
  Push("2");
  Turn();
  EXPECT_EQ(a_.sent.size(), 1u);
  EXPECT_EQ(b_.sent.size(), 1u);
  EXPECT_FALSE(a_.finished);
  Answer(a, a_.sent[0]);
  Turn();
  EXPECT_TRUE(a_.finished);
}

TEST_F(DispatcherTest, CountsBatchSizes) {
  const auto a = dispatcher_.Add(&a_);
  for (int i = 0; i < 4; ++i) Push(std::to_string(i));
  Turn();
  Answer(a, a_.sent[0]);
  Push("x");
  Turn();
  double sum = 0;
  const std::vector<double> sizes = dispatcher_.TakeBatchSizes(sum);
  EXPECT_EQ(sum, 5);
  EXPECT_EQ(sizes[0], 1);
  EXPECT_EQ(sizes[2], 1);
}

// Streams come and go, answer, hang, say no; every push ends exactly once, within its time.
TEST_F(DispatcherTest, WhateverHappensEveryPushEndsOnce) {
  uint64_t seed = 42;
  const auto draw = [&seed](uint64_t n) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (seed >> 33) % n;
  };
  struct Live {
    Dispatcher::StreamId id;
    FakeStream stream;
    size_t answered = 0;
  };
  std::vector<std::unique_ptr<Live>> live;
  std::map<std::string, absl::Duration> waiting;
  int pushed = 0;
  for (int step = 0; step < 20'000; ++step) {
    const uint64_t action = draw(100);
    if (action < 40) {
      const std::string name = std::to_string(pushed++);
      if (Push(name)) waiting[name] = now_;
    } else if (action < 43 && live.size() < 3) {
      live.push_back(std::make_unique<Live>());
      live.back()->id = dispatcher_.Add(&live.back()->stream);
    } else if (action < 45 && !live.empty()) {
      const size_t i = draw(live.size());
      if (!live[i]->stream.reset) dispatcher_.Remove(live[i]->id, now_);
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(i));
    } else if (action < 80 && !live.empty()) {
      Live& l = *live[draw(live.size())];
      if (!l.stream.reset && l.answered < l.stream.sent.size()) {
        const auto& batch = l.stream.sent[l.answered++];
        std::vector<PushOutcome> outcomes;
        for (int i = 0; i < batch.pushes_size() && draw(2) == 0; ++i) {
          outcomes.push_back(draw(3) == 0 ? kUnavailable : kRecorded);
        }
        Answer(l.id, batch, outcomes);
      }
    }
    Turn(draw(50) == 0 ? absl::Seconds(1) : absl::Milliseconds(static_cast<int>(draw(5))));
    for (auto it = waiting.begin(); it != waiting.end();) {
      if (results_.count(it->first) != 0) {
        it = waiting.erase(it);
      } else {
        ASSERT_LE(now_ - it->second, absl::Seconds(5)) << it->first;
        ++it;
      }
    }
  }
  Pass(absl::Seconds(6));
  EXPECT_EQ(dispatcher_.stats().pending, 0u);
  EXPECT_EQ(static_cast<int64_t>(results_.size()) + dispatcher_.stats().refused, pushed);
}

}  // namespace
}  // namespace tocsin::gateway
