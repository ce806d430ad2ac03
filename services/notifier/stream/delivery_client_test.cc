// Tells how the notifier holds its streams, against a core on loopback.
#include "services/notifier/stream/delivery_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/testing/fake_clock.h"
#include "services/notifier/stream/testing/fake_core.h"

namespace tocsin::notifier {
namespace {

class DeliveryClientTest : public testing::Test {
 protected:
  void Connect(const std::vector<std::string>& addresses, int max_assigned = 100) {
    DeliveryClientOptions options;
    options.core_addresses = addresses;
    options.core_key = key_;
    options.name = "tester";
    options.max_assigned = max_assigned;
    options.longest_backoff = absl::Milliseconds(200);
    client_ = std::make_unique<DeliveryClient>(options, *clock_, metrics_,
                                               [this](std::vector<Delivery> deliveries) {
                                                 absl::MutexLock lock(&mutex_);
                                                 for (Delivery& delivery : deliveries) {
                                                   leased_at_.push_back(delivery.leased_at);
                                                   taken_.push_back(std::move(delivery.facts));
                                                 }
                                               });
  }
  std::vector<DeliveryFacts> WaitForTaken(size_t n) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, n]()
                            ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return taken_.size() >= n; };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(10)));
    return taken_;
  }
  absl::Duration LeasedAt(size_t number) {
    absl::MutexLock lock(&mutex_);
    return leased_at_.at(number);
  }
  void ReportDelivered(const DeliveryFacts& facts) {
    client_->Report(JudgeAttempt(RetryPolicy{}, facts, {Outcome::kOk, 200, std::nullopt}, 0));
  }
  void Assign(FakeCore& core, int from, int to) {
    for (int i = from; i < to; ++i) {
      core.Assign(MakeAssignment(absl::StrCat("msg_", i), "ops", "http://e/", wall_.Now()));
    }
  }

  std::string key_;
  SystemClock wall_;
  SystemMonotonicClock system_clock_;
  FakeMonotonicClock fake_clock_;
  const MonotonicClock* clock_ = &system_clock_;
  prometheus::Registry registry_;
  NotifierMetrics metrics_{registry_};
  absl::Mutex mutex_;
  std::vector<DeliveryFacts> taken_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::Duration> leased_at_ ABSL_GUARDED_BY(mutex_);  // of taken_
  std::unique_ptr<DeliveryClient> client_;
};

TEST_F(DeliveryClientTest, ShowsItsKey) {
  FakeCore core;
  core.RequireKey("tk_right");
  key_ = "tk_right";
  Connect({core.address()});
  Assign(core, 0, 1);
  EXPECT_THAT(WaitForTaken(1), testing::SizeIs(1));
  EXPECT_FALSE(client_->refused());
}

TEST_F(DeliveryClientTest, ARefusedKeyIsNotTakenForAConnectionAndIsTriedAgain) {
  FakeCore core;
  core.RequireKey("tk_right");
  key_ = "tk_wrong";
  Connect({core.address()});
  // The third is begun when the second is over, which looked connected no more.
  EXPECT_TRUE(core.WaitForRefusals(3));
  EXPECT_TRUE(client_->refused());
  EXPECT_EQ(client_->connected(), 0);
  core.RequireKey("tk_wrong");
  Assign(core, 0, 1);
  EXPECT_THAT(WaitForTaken(1), testing::SizeIs(1));
  EXPECT_FALSE(client_->refused());
}

TEST_F(DeliveryClientTest, SaysWhoItIsAndGrantsItsCredit) {
  FakeCore core;
  Connect({core.address()});
  EXPECT_TRUE(core.WaitForCredits(100));
  EXPECT_THAT(core.notifiers(), testing::ElementsAre("tester"));
  EXPECT_EQ(client_->connected(), 1);
}

TEST_F(DeliveryClientTest, HoldsNoMoreThanItsCreditAndRenewsItWithReports) {
  FakeCore core;
  Connect({core.address()}, 10);
  Assign(core, 0, 25);
  size_t reported = 0;
  while (reported < 25) {
    const std::vector<DeliveryFacts> taken = WaitForTaken(reported + 1);
    for (; reported < taken.size(); ++reported) ReportDelivered(taken[reported]);
  }
  EXPECT_TRUE(core.WaitForReports(25));
  EXPECT_TRUE(core.WaitForCredits(10));
  EXPECT_LE(core.most_outstanding(), 10);
}

TEST_F(DeliveryClientTest, SharesItsCreditAmongCoresAndOutlivesOne) {
  auto first = std::make_unique<FakeCore>();
  FakeCore second;
  Connect({first->address(), second.address()});
  EXPECT_TRUE(first->WaitForCredits(50));
  EXPECT_TRUE(second.WaitForCredits(50));
  Assign(*first, 0, 1);
  const std::vector<DeliveryFacts> taken = WaitForTaken(1);
  first.reset();
  EXPECT_TRUE(second.WaitForStreams(1));
  ReportDelivered(taken[0]);
  ASSERT_TRUE(second.WaitForReports(1));
  EXPECT_EQ(second.reports()[0].delivery_id(), "msg_0");
}

TEST_F(DeliveryClientTest, TellsAgainWhatABrokenStreamMayHaveLost) {
  FakeCore core;
  Connect({core.address()});
  Assign(core, 0, 3);
  const std::vector<DeliveryFacts> taken = WaitForTaken(3);
  core.set_loses_reports(true);
  ReportDelivered(taken[0]);
  ReportDelivered(taken[1]);
  ASSERT_TRUE(core.WaitForLostReports(2));
  core.set_loses_reports(false);
  core.BreakStreams();
  ASSERT_TRUE(core.WaitForReports(2));
  EXPECT_EQ(core.reports()[0].delivery_id(), "msg_0");
  EXPECT_EQ(core.reports()[1].delivery_id(), "msg_1");
  ReportDelivered(taken[2]);
  EXPECT_TRUE(core.WaitForReports(3));
}

TEST_F(DeliveryClientTest, KeepsReportsWhileNoCoreIsThere) {
  auto core = std::make_unique<FakeCore>();
  const int port = core->port();
  Connect({core->address()});
  Assign(*core, 0, 1);
  const std::vector<DeliveryFacts> taken = WaitForTaken(1);
  core.reset();
  ReportDelivered(taken[0]);
  core = std::make_unique<FakeCore>(port);
  EXPECT_TRUE(core->WaitForReports(1));
}

TEST_F(DeliveryClientTest, StopsTakingAndTellsWhatIsLeftWhenClosed) {
  FakeCore core;
  Connect({core.address()}, 5);
  Assign(core, 0, 5);
  const std::vector<DeliveryFacts> taken = WaitForTaken(5);
  client_->StopTaking();
  for (const DeliveryFacts& facts : taken) ReportDelivered(facts);
  client_->Close(absl::Seconds(10));
  EXPECT_TRUE(core.WaitForReports(5));
  EXPECT_TRUE(core.WaitForStreams(0));
  EXPECT_EQ(client_->connected(), 0);
}

TEST_F(DeliveryClientTest, CountsALeaseFromBeforeAStandstillInWhichItMayHaveWaited) {
  clock_ = &fake_clock_;
  const absl::Duration begin = fake_clock_.Now();
  FakeCore core;
  Connect({core.address()});
  Assign(core, 0, 1);
  WaitForTaken(1);
  EXPECT_EQ(LeasedAt(0), begin);
  fake_clock_.Advance(absl::Milliseconds(1900));  // no more than a slow machine may take
  Assign(core, 1, 2);
  WaitForTaken(2);
  EXPECT_EQ(LeasedAt(1), begin + absl::Milliseconds(1900));
  fake_clock_.Advance(absl::Seconds(20));
  Assign(core, 2, 3);
  WaitForTaken(3);
  EXPECT_EQ(LeasedAt(2), begin + absl::Milliseconds(1900));
}

TEST_F(DeliveryClientTest, ClosesWhenNoCoreAnswers) {
  Connect({"127.0.0.1:1"});
  EXPECT_EQ(client_->connected(), 0);
  client_->Close(absl::Seconds(1));
}

}  // namespace
}  // namespace tocsin::notifier
