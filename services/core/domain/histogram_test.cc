// Histograms: where numbers fall, how much is lost, and that it is the same in whatever order.
#include "services/core/domain/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "services/core/domain/distribution.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Histogram Of(const std::vector<double>& numbers) {
  Histogram histogram;
  for (const double number : numbers) histogram.Add(number);
  return histogram;
}

void ExpectSame(const Histogram& a, const Histogram& b) {
  EXPECT_EQ(a.buckets, b.buckets);
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(a.min, b.min);
  EXPECT_EQ(a.max, b.max);
  EXPECT_NEAR(a.mean, b.mean, 1e-9 * std::max(std::abs(a.min), std::abs(a.max)));
}

// Of both signs, over many magnitudes, some of them 0 or equal.
std::vector<double> AnyNumbers(std::mt19937_64& random, size_t count) {
  std::vector<double> numbers;
  for (size_t i = 0; i < count; ++i) {
    const double size = std::exp2(std::uniform_real_distribution(-28.0, 60.0)(random));
    const auto kind = random() % 8;
    numbers.push_back(kind == 0 ? 0 : kind == 1 ? 42 : kind < 4 ? -size : size);
  }
  return numbers;
}

TEST(Histogram, BucketsThatAreStoredNeverChange) {
  EXPECT_EQ(BucketOf(0), 0);
  EXPECT_EQ(BucketOf(1e-12), 0);
  EXPECT_EQ(BucketOf(kFinest), 1);
  EXPECT_EQ(BucketOf(0.001), 321);
  EXPECT_EQ(BucketOf(1), 480);
  EXPECT_EQ(BucketOf(60), 574);
  EXPECT_EQ(BucketOf(-60), -574);
  EXPECT_EQ(BucketOf(86400), 742);
  EXPECT_EQ(BucketOf(1e300), kLastBucket);
  EXPECT_EQ(BucketOf(-1e300), -kLastBucket);
}

TEST(Histogram, ABucketBeginsWhereTheOneBeforeEnds) {
  for (int32_t bucket = 1; bucket < kLastBucket; ++bucket) {
    EXPECT_EQ(BucketOf(BucketInnerEnd(bucket)), bucket);
    EXPECT_EQ(BucketOf(std::nextafter(BucketOuterEnd(bucket), 0)), bucket);
    EXPECT_EQ(BucketOuterEnd(bucket), BucketInnerEnd(bucket + 1));
    EXPECT_EQ(BucketOf(-BucketInnerEnd(bucket)), -bucket);
    EXPECT_NEAR(BucketOuterEnd(bucket) / BucketInnerEnd(bucket), kBucketRatio, 1e-12);
  }
}

TEST(Histogram, KnowsExtremesAndMeanExactly) {
  const Histogram histogram = Of({55, 55, 65, -3, 0});
  EXPECT_EQ(histogram.count, 5);
  EXPECT_EQ(histogram.min, -3);
  EXPECT_EQ(histogram.max, 65);
  EXPECT_DOUBLE_EQ(histogram.mean, 34.4);
  EXPECT_THAT(histogram.buckets, ElementsAre(Pair(BucketOf(-3), 1), Pair(0, 1),
                                             Pair(BucketOf(55), 2), Pair(BucketOf(65), 1)));
}

TEST(Histogram, AddingIsAssociativeAndCommutative) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    const std::vector<double> a = AnyNumbers(random, random() % 30),
                              b = AnyNumbers(random, random() % 30),
                              c = AnyNumbers(random, random() % 30);
    Histogram left = Of(a);
    left.Add(Of(b));
    left.Add(Of(c));
    Histogram right = Of(c);
    right.Add(Of(b));
    Histogram other = Of(a);
    other.Add(right);
    ExpectSame(left, other);
    right.Add(Of(a));
    ExpectSame(left, right);
    std::vector<double> all = a;
    all.insert(all.end(), b.begin(), b.end());
    all.insert(all.end(), c.begin(), c.end());
    ExpectSame(left, Of(all));
  }
}

TEST(Histogram, QuantilesAreNoLessThanThoseOfTheNumbersAndMoreByTheResolutionAtMost) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    const std::vector<double> exact = AnyNumbers(random, random() % 50);
    const std::vector<double> rolled = AnyNumbers(random, 1 + random() % 50);
    std::vector<double> all = exact;
    all.insert(all.end(), rolled.begin(), rolled.end());
    for (const double part : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const double wanted = QuantileOf(all, {}, part);
      const double got = QuantileOf(exact, Of(rolled), part);
      EXPECT_GE(got, wanted - kFinest);
      EXPECT_LE(got, wanted + std::abs(wanted) * (kBucketRatio - 1) * (1 + 1e-9) + kFinest);
    }
  }
}

TEST(Histogram, SpansOfTimeAreShownInTheBucketsThatTheyWouldBeInThemselves) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::vector<double> numbers = {0, 0.001, 0.0005, 55, 65, 60};
  for (int i = 0; i < 3000; ++i) {
    numbers.push_back(std::exp2(std::uniform_real_distribution(-15.0, 25.0)(random)));
  }
  const Distribution exact = DistributionOf(numbers, Scale::kLogarithmic);
  const Distribution rolled = DistributionOf({}, Scale::kLogarithmic, Of(numbers));
  EXPECT_EQ(rolled.count, exact.count);
  EXPECT_EQ(rolled.min, exact.min);
  EXPECT_EQ(rolled.max, exact.max);
  EXPECT_NEAR(rolled.mean, exact.mean, 1e-9 * exact.max);
  EXPECT_EQ(rolled.buckets, exact.buckets);
}

TEST(Histogram, ValuesAreShownInABucketThatIsAsNearAsTheResolution) {
  std::vector<double> numbers;
  for (int i = 0; i < 1000; ++i) numbers.push_back(i % 10);
  const Distribution spread = DistributionOf({}, Scale::kLinear, Of(numbers));
  EXPECT_EQ(spread.min, 0);
  EXPECT_EQ(spread.max, 9);
  EXPECT_NEAR(spread.mean, 4.5, 1e-9);
  int64_t count = 0;
  for (const Distribution::Bucket& bucket : spread.buckets) count += bucket.count;
  EXPECT_EQ(count, 1000);
  EXPECT_NEAR(spread.p50, 4, 4 * (kBucketRatio - 1));
}

TEST(Histogram, APartOfItHasWhatIsNotLonger) {
  const Histogram all = Of({60, 61, 70, 7200});
  const Histogram part = all.UpTo(180);
  EXPECT_EQ(part.count, 3);
  EXPECT_EQ(part.min, 60);
  EXPECT_GE(part.max, 70);
  EXPECT_LE(part.max, 70 * kBucketRatio);
  EXPECT_NEAR(part.mean, 63.7, 63.7 * (kBucketRatio - 1));
  EXPECT_EQ(all.UpTo(7200), all);
  EXPECT_EQ(all.UpTo(1), Histogram());
}

}  // namespace
}  // namespace tocsin::core
