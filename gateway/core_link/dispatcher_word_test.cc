// What core is told beside the pushes: who is there, what waits, what was refused.
#include "gateway/core_link/dispatcher.h"
#include "gateway/core_link/testing/dispatcher_fixture.h"

namespace tocsin::gateway {
namespace {

using ::testing::ElementsAre;

TEST_F(DispatcherTest, AStreamThatHasNothingToSendGivesSignsOfLife) {
  Dispatcher dispatcher({.gateway_name = "gw", .sign_of_life = absl::Milliseconds(100)}, *this);
  const auto id = dispatcher.Add(&a_);
  EXPECT_EQ(dispatcher.OnTurn(now_), now_ + absl::Milliseconds(100));
  ASSERT_EQ(a_.sent.size(), 1u) << "the first one at once, so that core knows who is there";
  EXPECT_EQ(a_.sent[0].gateway(), "gw");
  EXPECT_EQ(a_.sent[0].pushes_size(), 0);
  EXPECT_EQ(a_.sent[0].sent_micros(), static_cast<uint64_t>(absl::ToInt64Microseconds(now_)));
  PushStreamResponse answer;
  answer.set_batch_id(a_.sent[0].batch_id());
  dispatcher.OnAnswer(id, answer, now_);

  PendingPush* push = dispatcher.Take();
  push->parameters.message = "m";
  push->received = now_ + absl::Milliseconds(60);
  dispatcher.Submit(push, push->received);
  dispatcher.OnTurn(now_ + absl::Milliseconds(60));
  ASSERT_EQ(a_.sent.size(), 2u);
  dispatcher.OnTurn(now_ + absl::Milliseconds(159));
  EXPECT_EQ(a_.sent.size(), 2u) << "a push is a sign of life, too";
  dispatcher.OnTurn(now_ + absl::Milliseconds(160));
  EXPECT_EQ(a_.sent.size(), 3u);
  EXPECT_EQ(dispatcher.stats().batches, 1) << "only those with pushes are counted";
}

TEST_F(DispatcherTest, AStreamThatIsAskedGivesASignOfLifeAtOnce) {
  const auto id = dispatcher_.Add(&a_);
  EXPECT_EQ(dispatcher_.OnTurn(now_), absl::InfiniteDuration()) << "by itself it gives none";
  PushStreamResponse question;
  question.set_speak(true);
  dispatcher_.OnAnswer(id, question, now_);
  dispatcher_.OnTurn(now_);
  ASSERT_EQ(a_.sent.size(), 1u);
  EXPECT_EQ(a_.sent[0].pushes_size(), 0);
  dispatcher_.OnTurn(now_);
  EXPECT_EQ(a_.sent.size(), 1u) << "once";

  dispatcher_.OnAnswer(id, question, now_);
  Push("1");
  dispatcher_.OnTurn(now_);
  ASSERT_EQ(a_.sent.size(), 2u) << "a push is a sign of life, too";
  EXPECT_EQ(a_.sent[1].pushes_size(), 1);
}

TEST_F(DispatcherTest, AFewPushesWaitForTheAnswersThatAreOwedButNotForLong) {
  Dispatcher dispatcher({.gateway_name = "gw",
                         .small_batch_wait = absl::Milliseconds(1),
                         .sign_of_life = absl::InfiniteDuration()},
                        *this);
  const auto id = dispatcher.Add(&a_);
  int names = 0;
  const auto push = [&](int count, absl::Duration later = absl::ZeroDuration()) {
    now_ += later;
    for (int i = 0; i < count; ++i) Push(dispatcher, std::to_string(++names));
    return dispatcher.OnTurn(now_);
  };
  push(1);
  ASSERT_EQ(a_.sent.size(), 1u) << "nothing is in flight: at once";
  const absl::Duration next = push(1, absl::Microseconds(100));
  EXPECT_EQ(next, now_ + absl::Milliseconds(1));
  push(1, absl::Microseconds(100));
  EXPECT_EQ(a_.sent.size(), 1u);
  Answer(dispatcher, id, a_.sent[0]);
  push(0);
  ASSERT_EQ(a_.sent.size(), 2u);
  EXPECT_EQ(a_.sent[1].pushes_size(), 2) << "both go with the answer";

  push(1, absl::Microseconds(100));
  push(0, absl::Microseconds(999));
  EXPECT_EQ(a_.sent.size(), 2u);
  push(0, absl::Microseconds(1));
  EXPECT_EQ(a_.sent.size(), 3u) << "a commit that takes long holds nothing up";
  Answer(dispatcher, id, a_.sent[2]);

  push(15);
  EXPECT_EQ(a_.sent.size(), 3u);
  push(1);
  EXPECT_EQ(a_.sent.size(), 4u) << "sixteen are worth a batch";
}

TEST_F(DispatcherTest, ASignOfLifeThatCoreAsksForTakesAlongWhatWaits) {
  Dispatcher dispatcher({.gateway_name = "gw",
                         .small_batch_wait = absl::Milliseconds(1),
                         .sign_of_life = absl::InfiniteDuration()},
                        *this);
  const auto id = dispatcher.Add(&a_);
  for (const char* message : {"1", "2"}) {
    Push(dispatcher, message);
    dispatcher.OnTurn(now_);
  }
  ASSERT_EQ(a_.sent.size(), 1u);
  PushStreamResponse question;
  question.set_speak(true);
  dispatcher.OnAnswer(id, question, now_);
  dispatcher.OnTurn(now_);
  ASSERT_EQ(a_.sent.size(), 2u);
  EXPECT_EQ(a_.sent[1].pushes_size(), 1);
  EXPECT_EQ(a_.sent[1].held_micros(), 0u);
}

TEST_F(DispatcherTest, WhileManyPushesAreInFlightAFurtherBatchIsALargeOne) {
  Dispatcher dispatcher({.gateway_name = "gw",
                         .small_batch_wait = absl::ZeroDuration(),
                         .sign_of_life = absl::InfiniteDuration()},
                        *this);
  const auto id = dispatcher.Add(&a_);
  int names = 0;
  const auto push = [&](int count) {
    for (int i = 0; i < count; ++i) Push(dispatcher, std::to_string(++names));
    dispatcher.OnTurn(now_);
  };
  push(30);
  push(1);
  ASSERT_EQ(a_.sent.size(), 2u) << "few are in flight: at once";
  Answer(dispatcher, id, a_.sent[1]);
  push(70);
  ASSERT_EQ(a_.sent.size(), 3u);
  push(74);
  EXPECT_EQ(a_.sent.size(), 3u) << "three quarters of the hundred that are in flight are 75";
  push(1);
  EXPECT_EQ(a_.sent.size(), 4u);

  Answer(dispatcher, id, a_.sent[0]);
  Answer(dispatcher, id, a_.sent[2]);
  push(1);
  EXPECT_EQ(a_.sent.size(), 4u);
  Answer(dispatcher, id, a_.sent[3]);
  dispatcher.OnTurn(now_);
  EXPECT_EQ(a_.sent.size(), 5u) << "nothing waits when nothing is in flight";
}

TEST_F(DispatcherTest, AStreamThatOwesManyAnswersGetsNoMoreSignsOfLife) {
  Dispatcher dispatcher(
      {.gateway_name = "gw", .max_batches_in_flight = 2, .sign_of_life = absl::Milliseconds(100)},
      *this);
  dispatcher.Add(&a_);
  for (int i = 0; i < 9; ++i) dispatcher.OnTurn(now_ + i * absl::Milliseconds(100));
  EXPECT_EQ(a_.sent.size(), 4u);
}

TEST_F(DispatcherTest, ASignOfLifeDoesNotMakeAStreamHealthy) {
  Dispatcher dispatcher({.gateway_name = "gw",
                         .min_backoff = absl::Milliseconds(500),
                         .sign_of_life = absl::Milliseconds(100)},
                        *this);
  const auto a = dispatcher.Add(&a_);
  PendingPush* push = dispatcher.Take();
  push->parameters.message = "m";
  push->received = now_;
  dispatcher.Submit(push, now_);
  dispatcher.OnTurn(now_);
  Answer(dispatcher, a, a_.sent[0], {kUnavailable});
  dispatcher.OnTurn(now_ + absl::Milliseconds(100));
  ASSERT_EQ(a_.sent.size(), 2u);
  Answer(dispatcher, a, a_.sent[1]);
  dispatcher.Add(&b_);
  PendingPush* next = dispatcher.Take();
  next->parameters.message = "n";
  next->received = now_ + absl::Milliseconds(110);
  dispatcher.Submit(next, next->received);
  dispatcher.OnTurn(next->received);
  ASSERT_FALSE(b_.sent.empty());
  EXPECT_EQ(b_.Messages(0), std::vector<std::string>{"n"});
}

TEST_F(DispatcherTest, TellsCoreEverythingOnce) {
  dispatcher_.Greeted(dispatcher_.Add(&a_));
  PendingPush* push = dispatcher_.Take();
  push->token_hash = Sha256("token");
  push->push_id = 99;
  PushParameters& said = push->parameters;
  said.Clear();
  said.kind = PushKind::kDown;
  said.message = "m";
  said.value = 1.5;
  said.run_id = "r";
  said.exit_status = 3;
  said.create = true;
  push->monitor_id = "backup";
  push->received = now_;
  dispatcher_.Submit(push, now_);
  Turn(absl::Milliseconds(3));
  ASSERT_EQ(a_.sent.size(), 1u);
  EXPECT_EQ(a_.sent[0].gateway(), "gw");
  const auto& sent = a_.sent[0].pushes(0);
  EXPECT_EQ(sent.token_hash(), Sha256Bytes("token"));
  EXPECT_EQ(sent.push_id(), 99u);
  EXPECT_EQ(sent.age_micros(), 3000u);
  EXPECT_FALSE(sent.retried());
  EXPECT_EQ(sent.kind(), v1::Heartbeat::KIND_DOWN);
  EXPECT_EQ(sent.message(), "m");
  EXPECT_EQ(sent.value(), 1.5);
  EXPECT_EQ(sent.run_id(), "r");
  EXPECT_EQ(sent.exit_status(), 3);
  EXPECT_EQ(sent.monitor_id(), "backup");
  EXPECT_TRUE(sent.create());
  Push("second");
  Turn();
  EXPECT_EQ(a_.sent[1].gateway(), "") << "only the first batch has the name";
}

TEST_F(DispatcherTest, TellsEachCoreForHowLongPushesWaitThatItWasNotGiven) {
  const auto a = dispatcher_.Add(&a_);
  Push("1");
  Turn();
  EXPECT_EQ(a_.sent.back().held_micros(), 0u);
  Turn(absl::Milliseconds(30));
  Push("2");
  Turn();
  EXPECT_EQ(a_.sent.back().held_micros(), 0u) << "all that waits is there";
  // A second core: the first owes an answer for 1 since 30 ms, and for 2.
  dispatcher_.Add(&b_);
  Push("3");
  Turn(absl::Milliseconds(5));
  ASSERT_EQ(b_.sent.size(), 1u);
  EXPECT_EQ(b_.sent[0].held_micros(), 35'000u);
  Answer(a, a_.sent[0]);
  Push("4");
  Turn();
  ASSERT_EQ(a_.sent.size() + b_.sent.size(), 4u);
  const PushStreamRequest& fourth = b_.sent.size() == 2 ? b_.sent[1] : a_.sent[2];
  EXPECT_EQ(fourth.held_micros(), b_.sent.size() == 2 ? 5'000u : 0u);
}

TEST_F(DispatcherTest, TellsCoreForHowLongPushesWaitForTheirTurn) {
  const auto id = dispatcher_.Add(&a_);
  for (int i = 0; i < 2; ++i) {
    Push(std::to_string(i));
    Turn();
  }
  for (int i = 0; i < 25; ++i) Push("wait " + std::to_string(i));
  Turn(absl::Milliseconds(40));
  ASSERT_EQ(a_.sent.size(), 2u) << "two are in flight";
  Push("last");
  Answer(id, a_.sent[0]);
  Turn();
  ASSERT_EQ(a_.sent.size(), 3u);
  EXPECT_EQ(a_.sent[2].held_micros(), 40'000u) << "fifteen that came with these ten";
  // What is to be tried again waits, too, until it goes with what is left.
  Answer(id, a_.sent[1], {kUnavailable});
  Turn(absl::Milliseconds(10));
  ASSERT_EQ(a_.sent.size(), 4u);
  EXPECT_EQ(a_.sent[3].held_micros(), 50'000u);
}

TEST_F(DispatcherTest, RefusesWhatIsTooMuchAndReportsTheTime) {
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(Push(std::to_string(i)));
  EXPECT_FALSE(Push("x"));
  now_ += absl::Milliseconds(400);
  EXPECT_FALSE(Push("y"));
  EXPECT_EQ(dispatcher_.stats().refused, 2);
  const auto a = dispatcher_.Add(&a_);
  Turn();
  ASSERT_EQ(a_.sent.size(), 2u);
  EXPECT_EQ(a_.sent[0].shed_micros(), 401'000u);
  EXPECT_EQ(a_.sent[1].shed_micros(), 0u);
  // It was not answered: it is reported again.
  dispatcher_.Remove(a, now_);
  dispatcher_.Add(&b_);
  Turn();
  EXPECT_EQ(b_.sent[0].shed_micros(), 401'000u);
}

TEST_F(DispatcherTest, APushThatTimedOutWasTimeInWhichNothingWasReceived) {
  Push("1");
  Pass(absl::Seconds(2));
  Push("2");
  Pass(absl::Seconds(5));
  dispatcher_.Add(&a_);
  Push("3");
  Turn();
  EXPECT_EQ(a_.sent[0].shed_micros(), 7'000'000u) << "overlapping waits count once";
}

TEST_F(DispatcherTest, PushesWithAKeyGoOnlyToACoreThatHasGreeted) {
  const auto a = dispatcher_.Add(&a_);
  PushWithKey("keyed");
  Push("plain");
  Turn();
  ASSERT_EQ(a_.sent.size(), 1u);
  EXPECT_THAT(a_.Messages(0), ElementsAre("plain"));
  Answer(a, a_.sent[0]);
  const auto b = dispatcher_.Add(&b_);
  dispatcher_.Greeted(b);
  Turn();
  ASSERT_EQ(b_.sent.size(), 1u);
  EXPECT_THAT(b_.Messages(0), ElementsAre("keyed"));
  // When that one goes, they wait for another, and are never taken for pushes with a wrong token.
  dispatcher_.Remove(b, now_);
  Pass(absl::Seconds(1));
  EXPECT_EQ(a_.sent.size(), 1u);
  dispatcher_.Greeted(a);
  Turn();
  ASSERT_EQ(a_.sent.size(), 2u);
  Answer(a, a_.sent[1]);
  EXPECT_EQ(ResultOf("keyed"), PushResult::kRecorded);
}

TEST_F(DispatcherTest, PushesWithAKeyWhichNobodyTakesAreUnavailable) {
  dispatcher_.Add(&a_);
  PushWithKey("keyed");
  Turn();
  Pass(absl::Seconds(5));
  EXPECT_EQ(ResultOf("keyed"), PushResult::kUnavailable);
}

TEST_F(DispatcherTest, OneBatchHasPushesWithKeysAndWithTokensInTheOrderInWhichTheyCame) {
  const auto a = dispatcher_.Add(&a_);
  dispatcher_.Greeted(a);
  for (int i = 0; i < 3; ++i) {
    Push("t" + std::to_string(i));
    now_ += absl::Milliseconds(1);
    PushWithKey("k" + std::to_string(i));
    now_ += absl::Milliseconds(1);
  }
  Turn();
  ASSERT_EQ(a_.sent.size(), 1u);
  EXPECT_THAT(a_.Messages(0), ElementsAre("t0", "k0", "t1", "k1", "t2", "k2"));
}

TEST_F(DispatcherTest, APushWhoseMonitorIsBeingMadeComesAgainAndIsToldThatItWas) {
  const auto a = dispatcher_.Add(&a_);
  dispatcher_.Greeted(a);
  PushWithKey("wish");
  now_ += absl::Milliseconds(1);
  Push("other");
  Turn();
  ASSERT_THAT(a_.Messages(0), ElementsAre("wish", "other"));
  Answer(a, a_.sent[0], {internal::v1::PUSH_OUTCOME_BEING_CREATED, kRecorded});
  EXPECT_EQ(ResultOf("other"), PushResult::kRecorded);
  // The stream is as healthy as before: it gets the next push although there is another.
  const auto b = dispatcher_.Add(&b_);
  Push("next");
  Push("after");
  Turn();
  EXPECT_EQ(a_.sent.size() + b_.sent.size(), 2u);
  Pass(absl::Milliseconds(100));
  ASSERT_EQ(a_.Messages(a_.sent.size() - 1).back(), "wish");
  EXPECT_TRUE(a_.sent.back().pushes().rbegin()->retried());
  Answer(a, a_.sent.back());
  EXPECT_EQ(ResultOf("wish"), PushResult::kCreated);
  dispatcher_.Remove(b, now_);
}

TEST_F(DispatcherTest, WaitingForAMonitorToBeMadeIsNoTimeInWhichNothingWasReceived) {
  const auto a = dispatcher_.Add(&a_);
  dispatcher_.Greeted(a);
  PushWithKey("wish");
  Turn();
  Answer(a, a_.sent[0], {internal::v1::PUSH_OUTCOME_BEING_CREATED});
  size_t answered = 1;
  for (int i = 0; i < 60; ++i) {
    Pass(absl::Milliseconds(100));
    for (; answered < a_.sent.size(); ++answered) {
      Answer(a, a_.sent[answered], {internal::v1::PUSH_OUTCOME_BEING_CREATED});
    }
  }
  EXPECT_EQ(ResultOf("wish"), PushResult::kUnavailable);
  Push("other");
  Turn();
  ASSERT_THAT(a_.Messages(a_.sent.size() - 1), ElementsAre("other"));
  EXPECT_EQ(a_.sent.back().shed_micros(), 0u);
}

TEST_F(DispatcherTest, APushThatIsBeingCreatedMakesNoStreamUnhealthy) {
  const auto a = dispatcher_.Add(&a_);
  dispatcher_.Greeted(a);
  PushWithKey("wish");
  Turn();
  Answer(a, a_.sent[0], {internal::v1::PUSH_OUTCOME_BEING_CREATED});
  // Between two streams that are as good they go by turns; an unhealthy one would get none.
  dispatcher_.Add(&b_);
  Push("one");
  Turn();
  Push("two");
  Turn();
  EXPECT_EQ(a_.sent.size(), 2u);
  EXPECT_EQ(b_.sent.size(), 1u);
}

}  // namespace
}  // namespace tocsin::gateway
