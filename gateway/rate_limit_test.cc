// Budgets, and that they neither leak memory nor touch those who did nothing.
#include "gateway/rate_limit.h"

#include <gtest/gtest.h>

#include <string>

namespace tocsin::gateway {
namespace {

const http::IpAddress kSomebody = *http::IpAddress::Parse("192.0.2.1");

absl::Duration At(double seconds) { return absl::Seconds(seconds); }

TEST(BucketTest, AllowsABurstAndThenTheRate) {
  Bucket bucket;
  const RateLimit limit{.per_second = 10, .burst = 60};
  for (int i = 0; i < 60; ++i) EXPECT_FALSE(bucket.Take(limit, At(1))) << i;
  EXPECT_EQ(bucket.Take(limit, At(1)), absl::Milliseconds(100));
  EXPECT_EQ(bucket.Take(limit, At(1.04)), absl::Milliseconds(60)) << "a refusal costs nothing";
  EXPECT_FALSE(bucket.Take(limit, At(1.1)));
  EXPECT_TRUE(bucket.Take(limit, At(1.1)));
  for (int i = 0; i < 60; ++i) EXPECT_FALSE(bucket.Take(limit, At(100))) << i;
  EXPECT_TRUE(bucket.Take(limit, At(100)));
}

TEST(BucketTest, ARateOfZeroIsNoLimit) {
  Bucket bucket;
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(bucket.Take({.per_second = 0}, At(0)));
}

TEST(RecentMapTest, ForgetsWhatWasNotUsedLately) {
  RecentMap<int, int> map(100);
  *map.FindOrMake(-1) = 7;
  for (int i = 0; i < 10'000; ++i) {
    map.FindOrMake(i);
    ASSERT_NE(map.Find(-1), nullptr) << "it is used all the time";
    ASSERT_LE(map.size(), 104u);
  }
  EXPECT_EQ(*map.Find(-1), 7);
  EXPECT_EQ(map.Find(0), nullptr);
}

TEST(TokenLimiterTest, LimitsOnlyTokensThatCoreAccepted) {
  TokenLimiter limiter({.per_second = 1, .burst = 2}, 1000);
  const Sha256Digest token = Sha256("token");
  for (int i = 0; i < 10; ++i) {
    const auto verdict = limiter.Check(token, false, At(0));
    EXPECT_FALSE(verdict.known);
    EXPECT_FALSE(verdict.wait);
  }
  limiter.Accepted(token);
  EXPECT_TRUE(limiter.Check(token, false, At(0)).known);
  EXPECT_FALSE(limiter.Check(token, false, At(0)).wait);
  EXPECT_EQ(limiter.Check(token, false, At(0)).wait, absl::Seconds(1));
  limiter.Accepted(token);  // again: keeps the bucket
  EXPECT_TRUE(limiter.Check(token, false, At(0)).wait);
  EXPECT_FALSE(limiter.Check(Sha256("other"), false, At(0)).wait);
}

TEST(TokenLimiterTest, ABurstOfUpNeverSwallowsAFailure) {
  TokenLimiter limiter({.per_second = 1, .burst = 1}, 1000);
  const Sha256Digest token = Sha256("token");
  limiter.Accepted(token);
  EXPECT_FALSE(limiter.Check(token, false, At(0)).wait);
  EXPECT_TRUE(limiter.Check(token, false, At(0)).wait);
  EXPECT_FALSE(limiter.Check(token, true, At(0)).wait);
  EXPECT_TRUE(limiter.Check(token, true, At(0)).wait);
}

TEST(UnknownTokenLimiterTest, ChargesOnlyWhatCoreRefused) {
  UnknownTokenLimiter limiter({.per_second = 1, .burst = 3}, 100);
  const Sha256Digest guess = Sha256("guess");
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limiter.Check(kSomebody, guess, At(0)));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limiter.Refused(kSomebody, guess, At(0)));
  EXPECT_EQ(limiter.Refused(kSomebody, guess, At(0)), absl::Seconds(1));
}

TEST(UnknownTokenLimiterTest, OverTheLimitOnlyTheSameTokenIsNotAskedAboutAgain) {
  UnknownTokenLimiter limiter({.per_second = 1, .burst = 1}, 100);
  const Sha256Digest guess = Sha256("guess");
  limiter.Refused(kSomebody, guess, At(0));
  EXPECT_TRUE(limiter.Refused(kSomebody, guess, At(0)));
  EXPECT_TRUE(limiter.Check(kSomebody, guess, At(0.5)));
  EXPECT_FALSE(limiter.Check(kSomebody, Sha256("valid"), At(0.5)));
  EXPECT_FALSE(limiter.Check(*http::IpAddress::Parse("192.0.2.2"), guess, At(0.5)));
  EXPECT_FALSE(limiter.Check(kSomebody, guess, At(1.5)));
}

TEST(UnknownTokenLimiterTest, AnIpv6NetworkOf64BitsIsOneSender) {
  UnknownTokenLimiter limiter({.per_second = 1, .burst = 1}, 100);
  const Sha256Digest guess = Sha256("guess");
  EXPECT_FALSE(limiter.Refused(*http::IpAddress::Parse("2001:db8::1"), guess, At(0)));
  EXPECT_TRUE(limiter.Refused(*http::IpAddress::Parse("2001:db8::2"), guess, At(0)));
  EXPECT_FALSE(limiter.Refused(*http::IpAddress::Parse("2001:db8:0:1::1"), guess, At(0)));
}

}  // namespace
}  // namespace tocsin::gateway
