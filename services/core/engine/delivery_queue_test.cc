// How deliveries reach notifiers, and what their reports lead to.
#include "services/core/engine/delivery_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/testing/fake_clock.h"
#include "services/core/engine/event_writer.h"
#include "services/core/engine/metrics.h"
#include "services/core/store/memory/memory_store.h"
#include "services/core/store/new_delivery.h"

namespace tocsin::core {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// Fails to apply reports while told to.
class FailingStore : public MemoryStore {
 public:
  using MemoryStore::MemoryStore;
  absl::StatusOr<ReportEffects> ApplyReports(absl::Span<const DeliveryReport> reports,
                                             absl::Time now) override {
    if (!failure.ok()) return failure;
    if (reports.size() > takes) return absl::UnavailableError("it took too long");
    for (const DeliveryReport& report : reports) {
      if (report.outcome == "poison") return absl::DataLossError("refused");
    }
    return MemoryStore::ApplyReports(reports, now);
  }
  absl::Status failure;
  size_t takes = 1000;  // reports at a time
};

// Both ticks in turn, as on a quiet day; returns the rest after leasing.
absl::Duration Tick(DeliveryQueue& queue) {
  queue.TickReports();
  return queue.TickLeases();
}

class DeliveryQueueTest : public ::testing::Test {
 protected:
  ChannelKey AddChannel(const std::string& id, bool is_default, const std::string& fallback = "") {
    Channel channel;
    channel.project = project_;
    channel.project_id = "default";
    channel.id = id;
    channel.is_default = is_default;
    channel.fallback_channel = fallback;
    ChannelKey key = 0;
    Run([&](Transaction& transaction) {
      auto inserted = transaction.InsertChannel(channel);
      if (inserted.ok()) key = *inserted;
      return inserted.status();
    });
    return key;
  }
  void AddDeliveries(ChannelKey channel, int count) {
    std::vector<Delivery> deliveries;
    for (int i = 0; i < count; ++i) {
      deliveries.push_back(NewDelivery(project_, DeliveryType::kChannelTest, clock_.Now()));
      deliveries.back().channel = channel;
    }
    Run([&](Transaction& transaction) { return transaction.AddDeliveries(deliveries); });
  }
  void Run(absl::FunctionRef<absl::Status(Transaction&)> body) {
    const absl::Status status = store_.Transact(TransactionClass::kAdmin, body);
    ASSERT_TRUE(status.ok()) << status;
  }
  DeliveryQueue::StreamId Attach(std::vector<LeasedDelivery>& into, uint32_t credits) {
    const auto stream = queue_.Attach("notifier", [&into](std::vector<LeasedDelivery> leased) {
      for (LeasedDelivery& each : leased) into.push_back(std::move(each));
    });
    queue_.GrantCredits(stream, credits);
    return stream;
  }
  static DeliveryReport About(const LeasedDelivery& leased, DeliveryResult result,
                              const std::string& outcome = "status_5xx") {
    DeliveryReport report;
    report.lease_id = leased.delivery.lease_id;
    report.delivery_id = leased.delivery.id;
    report.result = result;
    report.outcome = outcome;
    report.retry_after = absl::Minutes(1);
    return report;
  }
  std::vector<Delivery> Notices(ChannelKey channel) {
    std::vector<Delivery> notices;
    DeliveryQuery query;
    query.project = project_;
    query.channel = channel;
    const std::vector<DeliveryView> views = *store_.ListDeliveries(query);
    for (const DeliveryView& view : views) {
      if (view.delivery.type == DeliveryType::kChannelFailing) notices.push_back(view.delivery);
    }
    return notices;
  }
  int64_t Pending() { return store_.TakeCensus(clock_.Now())->deliveries[DeliveryState::kPending]; }

  FakeClock clock_;
  FailingStore store_{clock_};
  prometheus::Registry registry_;
  DeliveryMetrics metrics_{registry_};
  DeliveryQueue queue_{store_, clock_, {}, metrics_};
  const ProjectKey project_ = **store_.FindProject("default");
  std::vector<LeasedDelivery> got_;
};

TEST_F(DeliveryQueueTest, ANotifierGetsNoMoreThanItsCredits) {
  AddDeliveries(AddChannel("a", true), 5);
  const auto stream = Attach(got_, 2);
  Tick(queue_);
  EXPECT_THAT(got_, SizeIs(2));
  Tick(queue_);
  EXPECT_THAT(got_, SizeIs(2));
  queue_.GrantCredits(stream, 10);
  Tick(queue_);
  EXPECT_THAT(got_, SizeIs(5));
}

TEST_F(DeliveryQueueTest, NotifiersTakeTurns) {
  AddDeliveries(AddChannel("a", true), 4);
  std::vector<LeasedDelivery> other;
  const auto first = Attach(got_, 1);
  const auto second = Attach(other, 1);
  Tick(queue_);
  EXPECT_THAT(got_, SizeIs(1));
  EXPECT_THAT(other, SizeIs(1));
  queue_.GrantCredits(first, 1);
  queue_.GrantCredits(second, 1);
  Tick(queue_);
  EXPECT_THAT(got_, SizeIs(2));
  EXPECT_THAT(other, SizeIs(2));
}

TEST_F(DeliveryQueueTest, ANotifierThatLeftGetsNothing) {
  AddDeliveries(AddChannel("a", true), 1);
  queue_.Detach(Attach(got_, 5));
  Tick(queue_);
  EXPECT_THAT(got_, IsEmpty());
}

TEST_F(DeliveryQueueTest, ADeliveredReportEndsTheDelivery) {
  AddDeliveries(AddChannel("a", true), 1);
  Attach(got_, 5);
  Tick(queue_);
  EXPECT_TRUE(queue_.Report({About(got_.at(0), DeliveryResult::kDelivered)}));
  Tick(queue_);
  EXPECT_EQ(Pending(), 0);
}

TEST_F(DeliveryQueueTest, ReportsWaitForADatabaseThatIsAway) {
  AddDeliveries(AddChannel("a", true), 1);
  Attach(got_, 5);
  Tick(queue_);
  queue_.Report({About(got_.at(0), DeliveryResult::kDelivered)});
  store_.failure = absl::UnavailableError("away");
  EXPECT_EQ(Tick(queue_), absl::Seconds(1));
  EXPECT_EQ(Pending(), 1);
  store_.failure = absl::OkStatus();
  Tick(queue_);
  EXPECT_EQ(Pending(), 0);
}

TEST_F(DeliveryQueueTest, APoisonousReportDoesNotTakeOthersWithIt) {
  AddDeliveries(AddChannel("a", true), 3);
  Attach(got_, 5);
  Tick(queue_);
  queue_.Report({About(got_.at(0), DeliveryResult::kDelivered),
                 About(got_.at(1), DeliveryResult::kDelivered, "poison"),
                 About(got_.at(2), DeliveryResult::kDelivered)});
  Tick(queue_);
  EXPECT_EQ(Pending(), 1);
}

TEST_F(DeliveryQueueTest, AsManyReportsAsTakeTooLongAreTriedInSmallerParts) {
  AddDeliveries(AddChannel("a", true), 8);
  Attach(got_, 8);
  Tick(queue_);
  std::vector<DeliveryReport> reports;
  for (const LeasedDelivery& leased : got_) {
    reports.push_back(About(leased, DeliveryResult::kDelivered));
  }
  ASSERT_THAT(reports, SizeIs(8));
  queue_.Report(reports);
  store_.takes = 2;
  for (int i = 0; i < 12; ++i) Tick(queue_);
  EXPECT_EQ(Pending(), 0);
}

TEST_F(DeliveryQueueTest, SaysNoWhenTooManyReportsWait) {
  DeliveryQueueOptions options;
  options.report_limit = 1;
  DeliveryQueue small(store_, clock_, options, metrics_);
  EXPECT_TRUE(small.Report({DeliveryReport{}}));
  EXPECT_FALSE(small.Report({DeliveryReport{}}));
  Tick(small);
  EXPECT_TRUE(small.Report({DeliveryReport{}}));
}

TEST_F(DeliveryQueueTest, RestsUntilTheNextAttempt) {
  AddDeliveries(AddChannel("a", true), 1);
  Attach(got_, 5);
  Tick(queue_);
  DeliveryReport retry = About(got_.at(0), DeliveryResult::kRetry);
  retry.retry_after = absl::Milliseconds(300);
  queue_.Report({retry});
  EXPECT_EQ(Tick(queue_), absl::Milliseconds(300));
}

TEST_F(DeliveryQueueTest, RestsLongestWhenNobodyWantsAnything) {
  AddDeliveries(AddChannel("a", true), 1);
  EXPECT_EQ(Tick(queue_), absl::Seconds(1));
}

TEST_F(DeliveryQueueTest, DoesNotSpinWhileEveryLeaseOfAChannelIsInUse) {
  const int leases = DeliveryQueueOptions().per_channel.first;
  AddDeliveries(AddChannel("a", true), leases + 1);
  Attach(got_, 2 * leases);
  EXPECT_EQ(Tick(queue_), absl::Milliseconds(50));
  EXPECT_EQ(static_cast<int>(got_.size()), leases);
}

TEST_F(DeliveryQueueTest, AReceiverThatAnswersPromptlyGetsMoreAndOneThatHangsKeepsFew) {
  const int first = DeliveryQueueOptions().per_channel.first;
  const ChannelKey prompt = AddChannel("prompt", true);
  AddDeliveries(prompt, 4 * first);
  AddDeliveries(AddChannel("hangs", true), 4 * first);
  Attach(got_, 100);
  Tick(queue_);
  std::vector<DeliveryReport> reports;
  for (const LeasedDelivery& leased : got_) {
    if (leased.delivery.channel != prompt) continue;
    reports.push_back(About(leased, DeliveryResult::kDelivered));
  }
  EXPECT_THAT(reports, SizeIs(first));
  got_.clear();
  queue_.Report(reports);
  Tick(queue_);
  EXPECT_THAT(got_, SizeIs(2 * first));
  for (const LeasedDelivery& leased : got_) EXPECT_EQ(leased.delivery.channel, prompt);
}

TEST_F(DeliveryQueueTest, WhileItHoldsBackAChannelGetsTheFirstFewNowAndThen) {
  bool hold_back = false;
  DeliveryQueueOptions options;
  options.holds_back = [&hold_back] { return hold_back; };
  const int first = options.per_channel.first;
  DeliveryQueue queue(store_, clock_, options, metrics_);
  AddDeliveries(AddChannel("a", true), 6 * first);
  queue.GrantCredits(queue.Attach("notifier",
                                  [this](std::vector<LeasedDelivery> leased) {
                                    for (LeasedDelivery& each : leased) {
                                      got_.push_back(std::move(each));
                                    }
                                  }),
                     100);
  const auto deliver_all = [&] {
    std::vector<DeliveryReport> reports;
    for (const LeasedDelivery& leased : got_) {
      reports.push_back(About(leased, DeliveryResult::kDelivered));
    }
    got_.clear();
    queue.Report(reports);
    Tick(queue);
  };
  Tick(queue);
  deliver_all();
  EXPECT_THAT(got_, SizeIs(2 * first));
  hold_back = true;
  deliver_all();
  EXPECT_THAT(got_, IsEmpty());  // the last ones were leased just now
  clock_.Advance(options.held_back_rest / 4);
  EXPECT_EQ(Tick(queue), options.held_back_rest * 3 / 4);
  EXPECT_THAT(got_, IsEmpty());
  clock_.Advance(options.held_back_rest * 3 / 4);
  EXPECT_EQ(Tick(queue), options.held_back_rest);
  EXPECT_THAT(got_, SizeIs(first));
  hold_back = false;
  deliver_all();
  EXPECT_THAT(got_, SizeIs(2 * first));
}

TEST_F(DeliveryQueueTest, WakesTheTickForCreditsAndReports) {
  int woken = 0;
  int woken_for_reports = 0;
  queue_.OnUrgent([&woken] { ++woken; }, [&woken_for_reports] { ++woken_for_reports; });
  const auto stream = queue_.Attach("notifier", [](std::vector<LeasedDelivery>) {});
  queue_.GrantCredits(stream, 1);
  queue_.Report({DeliveryReport{}});
  EXPECT_EQ(woken, 2);
  EXPECT_EQ(woken_for_reports, 1);
}

TEST_F(DeliveryQueueTest, AChannelThatIsGoneIsToldOnItsFallback) {
  const ChannelKey broken = AddChannel("broken", true, "backup");
  const ChannelKey backup = AddChannel("backup", false);
  const ChannelKey other = AddChannel("other", true);
  AddDeliveries(broken, 1);
  Attach(got_, 1);
  Tick(queue_);
  queue_.Report({About(got_.at(0), DeliveryResult::kGone, "gone")});
  Tick(queue_);
  const std::vector<Delivery> notices = Notices(backup);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].notice->channel, "projects/default/channels/broken");
  EXPECT_EQ(notices[0].notice->reason, "gone");
  EXPECT_THAT(Notices(other), IsEmpty());
}

TEST_F(DeliveryQueueTest, WithoutAFallbackTheDefaultChannelsAreTold) {
  const ChannelKey broken = AddChannel("broken", true);
  const ChannelKey other = AddChannel("other", true);
  AddDeliveries(broken, 1);
  Attach(got_, 1);
  Tick(queue_);
  queue_.Report({About(got_.at(0), DeliveryResult::kGone)});
  Tick(queue_);
  EXPECT_THAT(Notices(other), SizeIs(1));
  EXPECT_THAT(Notices(broken), IsEmpty());
}

TEST_F(DeliveryQueueTest, DeadDeliveriesOfOneEpisodeAreToldOnce) {
  const ChannelKey broken = AddChannel("broken", false);
  const ChannelKey other = AddChannel("other", true);
  AddDeliveries(broken, 2);
  Attach(got_, 2);
  Tick(queue_);
  queue_.Report({About(got_.at(0), DeliveryResult::kDead)});
  Tick(queue_);
  clock_.Advance(absl::Hours(1));
  queue_.Report({About(got_.at(1), DeliveryResult::kDead)});
  Tick(queue_);
  const std::vector<Delivery> notices = Notices(other);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].notice->reason, "status_5xx");
  EXPECT_EQ(notices[0].notice->failing_since, TestEpoch());
}

TEST_F(DeliveryQueueTest, ADeadDeliverySoonAfterANoticeIsToldLater) {
  const ChannelKey broken = AddChannel("broken", false);
  const ChannelKey other = AddChannel("other", true);
  AddDeliveries(broken, 3);
  Attach(got_, 3);
  Tick(queue_);
  queue_.Report({About(got_.at(0), DeliveryResult::kDead)});
  Tick(queue_);
  ASSERT_THAT(Notices(other), SizeIs(1));
  clock_.Advance(absl::Minutes(3));
  queue_.Report({About(got_.at(1), DeliveryResult::kDelivered)});
  Tick(queue_);
  clock_.Advance(absl::Minutes(2));
  queue_.Report({About(got_.at(2), DeliveryResult::kDead)});
  Tick(queue_);
  EXPECT_THAT(Notices(other), SizeIs(1));
  clock_.Advance(absl::Minutes(6));
  Tick(queue_);
  EXPECT_THAT(Notices(other), SizeIs(2));
  clock_.Advance(absl::Hours(1));
  Tick(queue_);
  EXPECT_THAT(Notices(other), SizeIs(2));
}

TEST_F(DeliveryQueueTest, OfReplicasThatWaitToTellADeadDeliveryOneDoes) {
  const ChannelKey broken = AddChannel("broken", false);
  const ChannelKey other = AddChannel("other", true);
  AddDeliveries(broken, 4);
  Attach(got_, 4);
  Tick(queue_);
  DeliveryQueue replica(store_, clock_, {}, metrics_);
  queue_.Report({About(got_.at(0), DeliveryResult::kDead)});
  Tick(queue_);
  queue_.Report({About(got_.at(1), DeliveryResult::kDelivered)});
  Tick(queue_);
  clock_.Advance(absl::Minutes(2));
  queue_.Report({About(got_.at(2), DeliveryResult::kDead)});
  Tick(queue_);
  replica.Report({About(got_.at(3), DeliveryResult::kDead)});
  Tick(replica);
  ASSERT_THAT(Notices(other), SizeIs(1));
  for (int i = 0; i < 6; ++i) {
    clock_.Advance(absl::Minutes(9));
    Tick(queue_);
    Tick(replica);
  }
  EXPECT_THAT(Notices(other), SizeIs(2));
}

TEST_F(DeliveryQueueTest, ReplicasThatEachHaveADeadDeliveryOfAChannelTellItOnce) {
  const ChannelKey broken = AddChannel("broken", false);
  const ChannelKey other = AddChannel("other", true);
  AddDeliveries(broken, 2);
  Attach(got_, 2);
  Tick(queue_);
  DeliveryQueue replica(store_, clock_, {}, metrics_);
  queue_.Report({About(got_.at(0), DeliveryResult::kDead)});
  replica.Report({About(got_.at(1), DeliveryResult::kDead)});
  Tick(queue_);
  Tick(replica);
  EXPECT_THAT(Notices(other), SizeIs(1));
}

TEST_F(DeliveryQueueTest, ReplicasThatLookAtTheSameTimeTellAFailingChannelOnce) {
  const ChannelKey broken = AddChannel("broken", false);
  const ChannelKey other = AddChannel("other", true);
  AddDeliveries(broken, 1);
  Attach(got_, 1);
  Tick(queue_);
  queue_.Report({About(got_.at(0), DeliveryResult::kRetry)});
  Tick(queue_);
  DeliveryQueue replica(store_, clock_, {}, metrics_);
  clock_.Advance(absl::Minutes(11));
  Tick(queue_);
  AddDeliveries(other, 150);  // which bury the notice
  Tick(replica);
  DeliveryQuery query;
  query.project = project_;
  query.limit = 1000;
  int notices = 0;
  const std::vector<DeliveryView> views = *store_.ListDeliveries(query);
  for (const DeliveryView& view : views) {
    notices += view.delivery.type == DeliveryType::kChannelFailing;
  }
  EXPECT_EQ(notices, 1);
}

TEST_F(DeliveryQueueTest, AChannelThatIsGoneIsToldThoughTheReplicaThatHeardOfItDied) {
  const ChannelKey broken = AddChannel("broken", false);
  const ChannelKey other = AddChannel("other", true);
  AddDeliveries(broken, 1);
  Attach(got_, 1);
  Tick(queue_);
  const DeliveryReport gone = About(got_.at(0), DeliveryResult::kGone, "gone");
  ASSERT_TRUE(store_.ApplyReports({&gone, 1}, clock_.Now()).ok());
  DeliveryQueue survivor(store_, clock_, {}, metrics_);
  Tick(survivor);
  ASSERT_THAT(Notices(other), SizeIs(1));
  EXPECT_EQ(Notices(other)[0].notice->reason, "gone");
  clock_.Advance(absl::Hours(1));
  Tick(survivor);
  EXPECT_THAT(Notices(other), SizeIs(1));
}

TEST_F(DeliveryQueueTest, AChannelThatFailsForLongIsToldOnceEvenAfterARestart) {
  const ChannelKey broken = AddChannel("broken", false);
  const ChannelKey other = AddChannel("other", true);
  AddDeliveries(broken, 1);
  Attach(got_, 1);
  Tick(queue_);
  queue_.Report({About(got_.at(0), DeliveryResult::kRetry)});
  Tick(queue_);
  clock_.Advance(absl::Minutes(9));
  Tick(queue_);
  EXPECT_THAT(Notices(other), IsEmpty());
  clock_.Advance(absl::Minutes(2));
  Tick(queue_);
  EXPECT_THAT(Notices(other), SizeIs(1));
  clock_.Advance(absl::Hours(1));
  Tick(queue_);
  DeliveryQueue restarted(store_, clock_, {}, metrics_);
  Tick(restarted);
  EXPECT_THAT(Notices(other), SizeIs(1));
}

}  // namespace
}  // namespace tocsin::core
