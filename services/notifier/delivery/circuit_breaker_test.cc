// Tells when a circuit breaker opens, probes and closes.
#include "services/notifier/delivery/circuit_breaker.h"

#include <gtest/gtest.h>

namespace tocsin::notifier {
namespace {

using State = CircuitBreaker::State;

constexpr absl::Duration kNow = absl::Hours(1);

CircuitBreaker Opened() {
  CircuitBreaker breaker{BreakerOptions{}};
  for (int i = 0; i < 5; ++i) breaker.Fail(kNow, 0);
  return breaker;
}

TEST(CircuitBreakerTest, OpensAfterFiveFailuresInARow) {
  CircuitBreaker breaker{BreakerOptions{}};
  for (int i = 0; i < 4; ++i) breaker.Fail(kNow, 0);
  EXPECT_TRUE(breaker.MayBegin(kNow));
  breaker.Succeed();
  for (int i = 0; i < 4; ++i) breaker.Fail(kNow, 0);
  EXPECT_EQ(breaker.state(), State::kClosed);
  breaker.Fail(kNow, 0);
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_FALSE(breaker.MayBegin(kNow));
  EXPECT_EQ(breaker.Remaining(kNow), absl::Seconds(5));
}

TEST(CircuitBreakerTest, LetsOneProbePassWhenThePauseIsOver) {
  CircuitBreaker breaker = Opened();
  const absl::Duration later = kNow + absl::Seconds(5);
  ASSERT_TRUE(breaker.MayBegin(later));
  breaker.Begin(later);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  EXPECT_FALSE(breaker.MayBegin(later));
  breaker.Succeed();
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_TRUE(breaker.MayBegin(later));
}

TEST(CircuitBreakerTest, DoublesThePauseWithEachFailedProbeUpToItsBound) {
  CircuitBreaker breaker = Opened();
  absl::Duration now = kNow;
  for (int seconds : {10, 20, 40, 80, 120, 120}) {
    now += breaker.Remaining(now);
    breaker.Begin(now);
    breaker.Fail(now, 0);
    EXPECT_EQ(breaker.Remaining(now), absl::Seconds(seconds));
  }
}

TEST(CircuitBreakerTest, IgnoresStragglersWhileOpen) {
  CircuitBreaker breaker = Opened();
  breaker.Fail(kNow + absl::Seconds(1), 0);
  EXPECT_EQ(breaker.Remaining(kNow), absl::Seconds(5));
}

TEST(CircuitBreakerTest, AProbeThatWasNotMadeIsMadeByTheNext) {
  CircuitBreaker breaker = Opened();
  const absl::Duration later = kNow + absl::Seconds(5);
  breaker.Begin(later);
  breaker.CancelProbe();
  EXPECT_TRUE(breaker.MayBegin(later));
}

TEST(CircuitBreakerTest, JitterOnlyShortensThePause) {
  CircuitBreaker breaker{BreakerOptions{}};
  for (int i = 0; i < 5; ++i) breaker.Fail(kNow, 1);
  EXPECT_EQ(breaker.Remaining(kNow), absl::Seconds(4));
}

TEST(CircuitBreakerTest, TripOpensAtOnce) {
  CircuitBreaker breaker{BreakerOptions{}};
  breaker.Trip(kNow);
  EXPECT_FALSE(breaker.MayBegin(kNow));
}

}  // namespace
}  // namespace tocsin::notifier
