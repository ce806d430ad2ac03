// What touches say about the time between them.
#include "services/core/engine/touches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "services/core/domain/testing/builders.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Second;

constexpr absl::Duration kBlindAfter = absl::Seconds(2);

Touch TouchOf(const std::string& instance, double second, int32_t gateways = 0,
              absl::Time gateway_seen_at = absl::InfinitePast()) {
  return {.instance = instance,
          .at = Second(second),
          .gateways = gateways,
          .gateway_seen_at = gateways > 0 ? Second(second) : gateway_seen_at};
}

Gap GatewayGap(double start, double end) {
  return {.kind = GapKind::kGateway, .start = Second(start), .end = Second(end)};
}

TEST(JudgeTouchesTest, TheVeryFirstTouchEndsNoGap) {
  EXPECT_THAT(JudgeTouches({}, TouchOf("a", 10, 1), {}, kBlindAfter), IsEmpty());
}

TEST(JudgeTouchesTest, ExactlyTheAllowedTimeIsNoGap) {
  EXPECT_THAT(JudgeTouches({TouchOf("a", 10)}, TouchOf("a", 12), {}, kBlindAfter), IsEmpty());
}

TEST(JudgeTouchesTest, MoreThanTheAllowedTimeIsAGap) {
  EXPECT_THAT(JudgeTouches({TouchOf("a", 10)}, TouchOf("a", 12.001), {}, kBlindAfter),
              ElementsAre(testing::CoreGap(Second(10), Second(12.001))));
}

TEST(JudgeTouchesTest, AnotherInstanceThatTouchedMeansNoGap) {
  EXPECT_THAT(JudgeTouches({TouchOf("a", 10), TouchOf("b", 19)}, TouchOf("a", 20), {}, kBlindAfter),
              IsEmpty());
}

TEST(JudgeTouchesTest, ARestartedInstanceFindsTheGapThatItsPredecessorBegan) {
  EXPECT_THAT(JudgeTouches({TouchOf("old", 10)}, TouchOf("new", 20), {}, kBlindAfter),
              ElementsAre(testing::CoreGap(Second(10), Second(20))));
}

TEST(JudgeTouchesTest, AGatewayThatComesBackEndsAGapHoweverShort) {
  EXPECT_THAT(
      JudgeTouches({TouchOf("a", 10, 0, Second(9.8))}, TouchOf("a", 10.2, 1),
                   GatewayReturn{.silent_from = Second(9.9), .at = Second(10.1)}, kBlindAfter),
      ElementsAre(GatewayGap(9.9, 10.1)));
}

TEST(JudgeTouchesTest, TheFirstGatewayEverEndsNoGap) {
  EXPECT_THAT(JudgeTouches({TouchOf("a", 10)}, TouchOf("a", 10.5, 1),
                           GatewayReturn{.at = Second(10.4)}, kBlindAfter),
              IsEmpty());
}

TEST(JudgeTouchesTest, AGatewayThatStayedIsNoGap) {
  EXPECT_THAT(JudgeTouches({TouchOf("a", 10, 1)}, TouchOf("a", 10.5, 1), {}, kBlindAfter),
              IsEmpty());
}

TEST(JudgeTouchesTest, NoGatewayYetEndsNoGap) {
  EXPECT_THAT(JudgeTouches({TouchOf("a", 10, 0, Second(9))}, TouchOf("a", 10.5), {}, kBlindAfter),
              IsEmpty());
}

TEST(JudgeTouchesTest, AGatewayOfALiveInstanceMeansNoGap) {
  EXPECT_THAT(JudgeTouches({TouchOf("a", 10, 0, Second(9)), TouchOf("b", 10.1, 1)},
                           TouchOf("a", 10.5, 1), GatewayReturn{.at = Second(10.4)}, kBlindAfter),
              IsEmpty());
}

TEST(JudgeTouchesTest, AGatewayThatIsConnectedToAnotherInstanceAndFrozenDoesNotCount) {
  Touch frozen = TouchOf("b", 19.9, 1);
  frozen.gateway_seen_at = Second(10);
  const std::vector<Touch> touches = {TouchOf("a", 20, 0, Second(9.9)), frozen};
  // It left this one when it was thawed, and came back before it was heard.
  const GatewayReturn returned = {.silent_from = Second(9.9), .at = Second(20.3)};
  EXPECT_THAT(JudgeTouches(touches, TouchOf("a", 20.4, 0, Second(9.9)), returned, kBlindAfter),
              ElementsAre(GatewayGap(10, 20.3)));
}

TEST(JudgeTouchesTest, AGatewayOfADeadInstanceDoesNotCount) {
  EXPECT_THAT(JudgeTouches({TouchOf("a", 10, 0, Second(5)), TouchOf("b", 8, 1)},
                           TouchOf("a", 10.5, 1), GatewayReturn{.at = Second(9.9)}, kBlindAfter),
              ElementsAre(GatewayGap(8, 10.5)));
}

TEST(JudgeTouchesTest, AnInstanceThatWasKilledAMomentAgoHadItsGatewaysForASecondAtMost) {
  const GatewayReturn returned = {.at = Second(10.4)};
  EXPECT_THAT(
      JudgeTouches({TouchOf("killed", 9.3, 1)}, TouchOf("a", 10.5, 1), returned, kBlindAfter),
      ElementsAre(GatewayGap(9.3, 10.4)));
  EXPECT_THAT(
      JudgeTouches({TouchOf("lives", 9.4, 1)}, TouchOf("a", 10.5, 1), returned, kBlindAfter),
      IsEmpty());
}

TEST(JudgeTouchesTest, AnInstanceThatStoppedSaidThatItsGatewaysAreGone) {
  EXPECT_THAT(JudgeTouches({TouchOf("stopped", 10, 0, Second(9.9))}, TouchOf("a", 10.5, 1),
                           GatewayReturn{.at = Second(10.4)}, kBlindAfter),
              ElementsAre(GatewayGap(9.9, 10.4)));
}

TEST(JudgeTouchesTest, AGatewayThatWasFrozenWithItsConnectionOpenEndsAGap) {
  const Touch frozen = {
      .instance = "a", .at = Second(20), .gateways = 1, .gateway_seen_at = Second(9)};
  EXPECT_THAT(JudgeTouches({frozen}, TouchOf("a", 20.5, 1), {}, kBlindAfter),
              ElementsAre(GatewayGap(9, 20.5)));
}

TEST(JudgeTouchesTest, AGatewayThatNoCoreCouldHearIsNoSecondGap) {
  EXPECT_THAT(
      JudgeTouches({TouchOf("a", 10, 0, Second(9.5))}, TouchOf("a", 20, 1), {}, kBlindAfter),
      ElementsAre(testing::CoreGap(Second(10), Second(20))));
  EXPECT_THAT(JudgeTouches({TouchOf("a", 10, 0, Second(3))}, TouchOf("a", 20, 1), {}, kBlindAfter),
              ElementsAre(testing::CoreGap(Second(10), Second(20)), GatewayGap(3, 20)));
}

TEST(JudgeTouchesTest, OneThatHeardAGatewayAfterAFreezeOfItsOwnEndsTheGapThatOthersSaw) {
  // The only gateway was with "a", which stood still for a minute; "b" went on without one.
  EXPECT_THAT(
      JudgeTouches({TouchOf("a", 10, 1), TouchOf("b", 69.8)}, TouchOf("a", 70, 1), {}, kBlindAfter),
      ElementsAre(GatewayGap(10, 70)));
}

TEST(JudgeFailoverTest, AnOwnTouchThatIsMissingWasLost) {
  const std::vector<Touch> touches = {TouchOf("b", 100)};
  const std::optional<Gap> lost = JudgeFailover(touches, TouchOf("a", 130), Second(120));
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(lost->start, Second(100));
  EXPECT_EQ(lost->end, Second(130));
  EXPECT_EQ(JudgeFailover({TouchOf("a", 120)}, TouchOf("a", 130), Second(120)), std::nullopt);
  EXPECT_EQ(JudgeFailover(touches, TouchOf("a", 130), absl::InfinitePast()), std::nullopt);
}

TEST(JudgeFailoverTest, OneThatOthersHaveForgottenWasNot) {
  const double day = absl::ToDoubleSeconds(kTouchesKept);
  const std::vector<Touch> touches = {TouchOf("b", day + 99)};
  EXPECT_EQ(JudgeFailover(touches, TouchOf("a", day + 100), Second(1)), std::nullopt);
}

TEST(LongSilenceTest, IsOneOfFiveMinutesInWhichTocsinCouldReceive) {
  const std::vector<Touch> touches = {TouchOf("a", 400, 0, Second(100)),
                                      TouchOf("b", 399, 0, Second(90))};
  const auto silence = [&](const GapList& gaps, double touching_since, double now) {
    return LongSilence(touches, gaps, Second(touching_since), Second(now), kBlindAfter);
  };
  EXPECT_EQ(silence({}, 0, 399.9), std::nullopt);
  EXPECT_EQ(silence({}, 0, 400), Second(100));
  EXPECT_EQ(silence({GatewayGap(80, 100)}, 0, 400), Second(100));
  // This replica, or all of core, was not there to hear one.
  EXPECT_EQ(silence({}, 101, 400), std::nullopt);
  EXPECT_EQ(silence({testing::CoreGap(Second(90), Second(101))}, 0, 400), std::nullopt);
  // It was suspended, and has not touched since.
  EXPECT_EQ(silence({}, 0, 4000), std::nullopt);
}

TEST(LongSilenceTest, IsNoneWhereNoGatewayWasEverHeard) {
  EXPECT_EQ(LongSilence({TouchOf("a", 400)}, {}, Second(0), Second(400), kBlindAfter),
            std::nullopt);
}

}  // namespace
}  // namespace tocsin::core
