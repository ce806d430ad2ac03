// What is told of a silence of all gateways.
#include "services/core/store/new_delivery.h"
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;

constexpr absl::Duration kSecond = absl::Seconds(1);
constexpr absl::Duration kDay = absl::Hours(24);

class Silences : public StoreContract {};

TEST_P(Silences, WhatStillWaitsOfOneThatEndedIsSuperseded) {
  const Channel channel = MakeChannel("ops");
  std::vector<Delivery> deliveries(2, NewDelivery(project(), DeliveryType::kSystemBlind, kStart));
  deliveries[1].id = "msg_delivered";
  Do([&](Transaction& transaction) -> absl::Status {
    const ChannelKey key = transaction.InsertChannel(channel).value();
    for (Delivery& delivery : deliveries) delivery.channel = key;
    const ToldSilence told = {.projects = {project()},
                              .deliveries = {deliveries[0].id, deliveries[1].id, "gone"}};
    EXPECT_TRUE(transaction.ClaimSilence(kStart, told).value());
    return transaction.AddDeliveries(deliveries);
  });
  const auto state = [&](const Delivery& delivery) {
    std::optional<Delivery> read;
    Do([&](Transaction& transaction) -> absl::Status {
      read = transaction.LockDelivery(project(), delivery.id).value();
      return absl::OkStatus();
    });
    return read->state;
  };
  Do([&](Transaction& transaction) {
    Delivery delivered = transaction.LockDelivery(project(), deliveries[1].id).value().value();
    delivered.state = DeliveryState::kDelivered;
    delivered.finished_at = kStart;
    return transaction.SaveDelivery(delivered);
  });
  Do([&](Transaction& transaction) {
    return transaction.EndSilence(kStart + kSecond, kStart + kDay, kStart + kDay).status();
  });
  EXPECT_EQ(state(deliveries[0]), DeliveryState::kPending);
  Do([&](Transaction& transaction) {
    return transaction.EndSilence(kStart - kSecond, kStart + kDay, kStart + kDay).status();
  });
  EXPECT_EQ(state(deliveries[0]), DeliveryState::kSuperseded);
  EXPECT_EQ(state(deliveries[1]), DeliveryState::kDelivered);
}

TEST_P(Silences, OneIsClaimedOnceAndRememberedForAsLongAsGaps) {
  const auto claim = [&](absl::Time since) {
    bool mine = false;
    Do([&](Transaction& transaction) -> absl::Status {
      mine = transaction.ClaimSilence(since, {.projects = {1, 2}, .deliveries = {}}).value();
      return absl::OkStatus();
    });
    return mine;
  };
  const auto was_told = [&](absl::Time from, absl::Time until) {
    std::vector<ProjectKey> told;
    Do([&](Transaction& transaction) -> absl::Status {
      told = transaction.EndSilence(from, until, kStart).value();
      return absl::OkStatus();
    });
    if (!told.empty()) {
      EXPECT_THAT(told, ElementsAre(1, 2));
    }
    return !told.empty();
  };
  EXPECT_TRUE(claim(kStart));
  EXPECT_FALSE(claim(kStart));
  EXPECT_TRUE(claim(kStart + kDay));
  EXPECT_TRUE(was_told(kStart, kStart));
  EXPECT_TRUE(was_told(kStart - kSecond, kStart + kSecond));
  EXPECT_FALSE(was_told(kStart + kSecond, kStart + kDay - kSecond));
  // A transaction that fails has told nobody.
  EXPECT_FALSE(store()
                   .Transact(TransactionClass::kAdmin,
                             [&](Transaction& transaction) -> absl::Status {
                               EXPECT_TRUE(transaction.ClaimSilence(kStart + 2 * kDay, {}).value());
                               return absl::InternalError("no");
                             })
                   .ok());
  EXPECT_TRUE(claim(kStart + 2 * kDay));
  ASSERT_TRUE(store().Maintain({}, kStart + 2000 * kDay).ok());
  EXPECT_FALSE(was_told(kStart, kStart + kDay));
  // The newest may last.
  EXPECT_TRUE(was_told(kStart, kStart + 2 * kDay));
}

TEST_P(Silences, ProjectsOverHttpHaveMonitorsThatWaitForAHeartbeatOverIt) {
  const auto projects = [&] {
    std::vector<ProjectKey> found;
    Do([&](Transaction& transaction) -> absl::Status {
      found = transaction.ProjectsOverHttp().value();
      return absl::OkStatus();
    });
    return found;
  };
  const auto add = [&](const std::string& id, State state, Source source, absl::Time last_at) {
    Monitor monitor = UpMonitor(id);
    monitor.state.state = state;
    monitor.state.last_source = source;
    monitor.state.last_at = last_at;
    Add(monitor);
  };
  add("never-pushed", State::kNew, Source::kUnknown, absl::InfinitePast());
  add("internal", State::kUp, Source::kGrpc, kStart);
  add("paused", State::kPaused, Source::kHttp, kStart);
  EXPECT_THAT(projects(), testing::IsEmpty());
  add("backup", State::kUp, Source::kHttp, kStart);
  EXPECT_THAT(projects(), testing::IsEmpty()) << "nobody is there to be told";
  Do([&](Transaction& transaction) -> absl::Status {
    Channel channel = MakeChannel("ops");
    EXPECT_TRUE(transaction.InsertChannel(channel).ok());
    channel.id = "all";
    channel.is_default = true;
    return transaction.InsertChannel(channel).status();
  });
  EXPECT_THAT(projects(), ElementsAre(project()));
}

INSTANTIATE_TEST_SUITE_P(Stores, Silences, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
