// Who is told that no gateway is heard, while that lasts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "services/core/engine/testing/outage_fixture.h"

namespace tocsin::core {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class SilenceTest : public testing::OutageTest {
 protected:
  // One that was heard until now.
  void LoseTheGateway() {
    TouchAfter(absl::ZeroDuration());
    guard_.GatewayConnected();
    guard_.GatewayHeard(clock_.Now());
    TouchAfter(absl::ZeroDuration());
    guard_.GatewayDisconnected();
  }
};

TEST_F(SilenceTest, ASilenceOfAllGatewaysIsToldOnceWhileItLastsAndSoIsItsEnd) {
  AddChannel("all", true, false);
  // It expects nothing for hours: the gap will have postponed nothing.
  AddMonitor("daily", absl::Hours(24), Source::kHttp);
  const absl::Time silent_since = clock_.Now();
  LoseTheGateway();
  Wait(absl::Minutes(5) - absl::Seconds(1));
  EXPECT_THAT(Deliveries(), IsEmpty());
  Wait(absl::Minutes(60));
  std::vector<DeliveryView> deliveries = Deliveries();
  ASSERT_THAT(deliveries, SizeIs(1));
  EXPECT_EQ(deliveries[0].delivery.type, DeliveryType::kSystemBlind);
  EXPECT_EQ(deliveries[0].delivery.blind->start, silent_since);
  EXPECT_EQ(deliveries[0].delivery.blind->end, absl::InfiniteFuture());
  guard_.GatewayConnected();
  guard_.GatewayHeard(clock_.Now());
  const absl::Time back = clock_.Now();
  Wait(absl::Seconds(30));
  deliveries = Deliveries();
  ASSERT_THAT(deliveries, SizeIs(2));
  const auto end = std::find_if(deliveries.begin(), deliveries.end(), [](const DeliveryView& view) {
    return view.delivery.blind->end != absl::InfiniteFuture();
  });
  ASSERT_NE(end, deliveries.end());
  EXPECT_EQ(end->delivery.blind->start, silent_since);
  EXPECT_EQ(end->delivery.blind->end, back);
  EXPECT_EQ(end->delivery.blind->unverified_count, 0);
  // Nobody took the beginning, so it is not to come after its end.
  for (const DeliveryView& view : deliveries) {
    const bool ends = view.delivery.blind->end != absl::InfiniteFuture();
    EXPECT_EQ(view.delivery.state, ends ? DeliveryState::kPending : DeliveryState::kSuperseded);
  }
}

TEST_F(SilenceTest, ASilenceOfGatewaysIsNothingToAProjectThatPushesOverGrpc) {
  AddChannel("all", true, false);
  AddMonitor("internal", absl::Hours(24), Source::kGrpc);
  LoseTheGateway();
  Wait(absl::Minutes(10));
  EXPECT_THAT(Deliveries(), IsEmpty());
}

}  // namespace
}  // namespace tocsin::core
