// Contract of news about channels: replicas that look at the same time tell it once between them.
#include "services/core/engine/channel_news.h"

#include <thread>
#include <vector>

#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kReplicas = 4;

class ChannelNewsContract : public StoreContract {
 protected:
  ChannelNewsContract() {
    AddChannel("mail");    // the fallback of
    AddChannel("broken");  // this one
    for (int i = 0; i < kReplicas; ++i) {
      replicas_.push_back(std::make_unique<ChannelNews>(store(), absl::Minutes(10)));
    }
  }

  void SaveBroken(absl::FunctionRef<void(Channel&)> change) {
    Do([&](Transaction& transaction) {
      Channel channel = transaction.LockChannel(project(), "broken").value().value();
      change(channel);
      return transaction.SaveChannel(channel);
    });
  }
  void TellOnEveryReplicaAtOnce(absl::Time now) {
    std::vector<std::thread> threads;
    for (const auto& replica : replicas_) {
      threads.emplace_back([&replica, now] {
        const absl::Status told = replica->Tell(now);
        EXPECT_TRUE(told.ok()) << told;
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  std::vector<Delivery> Notices() {
    std::vector<Delivery> notices;
    DeliveryQuery query;
    query.project = project();
    const std::vector<DeliveryView> views = store().ListDeliveries(query).value();
    for (const DeliveryView& view : views) {
      if (view.delivery.type == DeliveryType::kChannelFailing) notices.push_back(view.delivery);
    }
    return notices;
  }

  std::vector<std::unique_ptr<ChannelNews>> replicas_;
};

TEST_P(ChannelNewsContract, AChannelThatIsGoneIsToldOnceByAllReplicas) {
  SaveBroken([](Channel& channel) {
    channel.disabled_at = channel.failing_since = kStart;
    channel.last_error = "gone";
  });
  TellOnEveryReplicaAtOnce(kStart);
  ASSERT_THAT(Notices(), SizeIs(1));
  EXPECT_EQ(Notices()[0].notice->reason, "gone");
  TellOnEveryReplicaAtOnce(kStart + absl::Hours(1));
  EXPECT_THAT(Notices(), SizeIs(1));
}

TEST_P(ChannelNewsContract, AChannelThatFailsForLongIsToldOnceByAllReplicas) {
  SaveBroken([](Channel& channel) {
    channel.failing_since = kStart;
    channel.last_error = "timeout";
  });
  TellOnEveryReplicaAtOnce(kStart + absl::Minutes(10));
  ASSERT_THAT(Notices(), SizeIs(1));
  EXPECT_EQ(Notices()[0].notice->reason, "timeout");
}

TEST_P(ChannelNewsContract, DeadDeliveriesThatReplicasHearOfAreToldOnce) {
  ChannelKey key = 0;
  SaveBroken([&key](Channel& channel) {
    channel.failing_since = kStart;
    channel.last_error = "timeout";
    key = channel.key;
  });
  for (const auto& replica : replicas_) replica->Add({.with_dead = {key}}, kStart);
  TellOnEveryReplicaAtOnce(kStart + absl::Seconds(1));
  EXPECT_THAT(Notices(), SizeIs(1));
}

TEST_P(ChannelNewsContract, ProjectsInWhichAChannelIsInTroubleAreFound) {
  EXPECT_THAT(store().TroubledProjects().value(), IsEmpty());
  SaveBroken([&](Channel& channel) { channel.failing_since = kStart; });
  EXPECT_THAT(store().TroubledProjects().value(), ElementsAre(project()));
  SaveBroken([&](Channel& channel) {
    channel.failing_since.reset();
    channel.disabled_at = kStart;
  });
  EXPECT_THAT(store().TroubledProjects().value(), ElementsAre(project()));
}

TEST_P(ChannelNewsContract, AnotherEpisodeIsToldAgain) {
  SaveBroken([](Channel& channel) { channel.failing_since = kStart; });
  TellOnEveryReplicaAtOnce(kStart + absl::Minutes(10));
  SaveBroken([](Channel& channel) { channel.failing_since = kStart + absl::Hours(1); });
  TellOnEveryReplicaAtOnce(kStart + absl::Hours(2));
  EXPECT_THAT(Notices(), SizeIs(2));
}

INSTANTIATE_TEST_SUITE_P(Stores, ChannelNewsContract, testing::ValuesIn(AllStores()),
                         StoreKindName);

}  // namespace
}  // namespace tocsin::core
