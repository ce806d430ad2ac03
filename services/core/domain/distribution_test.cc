// How numbers are spread.
#include "services/core/domain/distribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Distribution, OfNothingIsNothing) {
  const Distribution none = DistributionOf({}, Scale::kLinear);
  EXPECT_EQ(none.count, 0);
  EXPECT_THAT(none.buckets, IsEmpty());
}

TEST(Distribution, AQuantileIsOneOfTheNumbers) {
  EXPECT_EQ(QuantileIndex(1000, 0.5), 499);
  EXPECT_EQ(QuantileIndex(1000, 0.9), 899);
  EXPECT_EQ(QuantileIndex(1000, 0.999), 998);
  EXPECT_EQ(QuantileIndex(1000, 0), 0);
  EXPECT_EQ(QuantileIndex(1000, 1), 999);
  EXPECT_EQ(QuantileIndex(999, 0.999), 998);
  EXPECT_EQ(QuantileIndex(1, 0.5), 0);
}

TEST(Distribution, TellsExtremesAndTheMean) {
  const Distribution spread = DistributionOf({3, -1, 4}, Scale::kLinear);
  EXPECT_EQ(spread.count, 3);
  EXPECT_EQ(spread.min, -1);
  EXPECT_EQ(spread.max, 4);
  EXPECT_DOUBLE_EQ(spread.mean, 2);
  EXPECT_EQ(spread.p50, 3);
  EXPECT_EQ(spread.p999, 4);
}

TEST(Distribution, BucketsOfTimesAreNinePercentWideAndHoldWhatLiesInThem) {
  for (const double seconds : {0.001, 0.0013, 0.5, 1.0, 59.9, 60.0, 64.0, 3600.0, 3.1e7}) {
    SCOPED_TRACE(seconds);
    const Distribution spread = DistributionOf({seconds}, Scale::kLogarithmic);
    ASSERT_EQ(spread.buckets.size(), 1);
    const auto& [low, high, count] = spread.buckets.front();
    EXPECT_LE(low, seconds);
    EXPECT_GT(high, seconds);
    EXPECT_LT(high / low, 1.0906);
    EXPECT_EQ(count, 1);
  }
  EXPECT_THAT(DistributionOf({0, 0.0004}, Scale::kLogarithmic).buckets,
              ElementsAre(Distribution::Bucket{.low = 0, .high = 0.001, .count = 2}));
}

TEST(Distribution, BucketsOfValuesAreOfOneWidthAndTheLastHoldsTheGreatest) {
  const Distribution spread = DistributionOf({0, 1, 10, 199, 200}, Scale::kLinear);
  EXPECT_THAT(spread.buckets,
              ElementsAre(Distribution::Bucket{0, 10, 2}, Distribution::Bucket{10, 20, 1},
                          Distribution::Bucket{190, 200, 2}));
  EXPECT_THAT(DistributionOf({5, 5}, Scale::kLinear).buckets,
              ElementsAre(Distribution::Bucket{5, 5, 2}));
}

TEST(Distribution, OfTheGreatestNumbersIsFinite) {
  constexpr double kMost = std::numeric_limits<double>::max();
  const Distribution spread = DistributionOf({-kMost, kMost, kMost}, Scale::kLinear);
  EXPECT_EQ(spread.buckets.size(), 2);
  EXPECT_EQ(spread.buckets.back().high, kMost);
  EXPECT_LT(spread.mean, kMost);
  EXPECT_GT(spread.mean, 0);
}

}  // namespace
}  // namespace tocsin::core
