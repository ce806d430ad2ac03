// Holds backoff and Retry-After to what is promised.
#include "services/notifier/delivery/retry_policy.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/random/random.h"

namespace tocsin::notifier {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'772'416'800);  // 2026-03-02T02:00:00Z

TEST(RetryPolicyTest, DoublesFromOneSecondUpToTheCap) {
  const RetryPolicy policy;
  struct Row {
    int attempt;
    bool open;
    absl::Duration longest;
  };
  const std::vector<Row> rows = {
      {1, true, absl::Seconds(1)},     {2, true, absl::Seconds(2)},
      {3, true, absl::Seconds(4)},     {9, true, absl::Seconds(256)},
      {10, true, absl::Minutes(5)},    {1'000'000, true, absl::Minutes(5)},
      {10, false, absl::Seconds(512)}, {13, false, absl::Hours(1)},
      {0, true, absl::Seconds(1)}};
  for (const Row& row : rows) {
    EXPECT_EQ(RetryDelay(policy, row.attempt, row.open, std::nullopt, 0), row.longest / 2)
        << row.attempt;
    EXPECT_EQ(RetryDelay(policy, row.attempt, row.open, std::nullopt, 1), row.longest)
        << row.attempt;
  }
}

TEST(RetryPolicyTest, DelaysStayWithinBoundsWhateverTheInput) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  const RetryPolicy policy;
  for (int i = 0; i < 20'000; ++i) {
    const int attempt = absl::Uniform(random, 1, 200);
    const bool open = absl::Bernoulli(random, 0.5);
    const absl::Duration asked = absl::Seconds(absl::Uniform(random, 0, 100'000));
    const bool asks = absl::Bernoulli(random, 0.3);
    const absl::Duration delay =
        RetryDelay(policy, attempt, open, asks ? std::make_optional(asked) : std::nullopt,
                   absl::Uniform(random, 0.0, 1.0));
    const absl::Duration cap = open ? policy.cap_while_open : policy.cap;
    ASSERT_GE(delay, policy.first / 2);
    ASSERT_LE(delay, asks ? std::max(cap, policy.longest_retry_after) : cap);
    if (asks) {
      ASSERT_GE(delay, std::min(asked, policy.longest_retry_after));
    }
  }
}

TEST(RetryPolicyTest, HonoursRetryAfterUpToItsBound) {
  const RetryPolicy policy;
  EXPECT_EQ(RetryDelay(policy, 1, true, absl::Seconds(30), 0), absl::Seconds(30));
  EXPECT_EQ(RetryDelay(policy, 1, true, absl::Hours(24), 0), policy.longest_retry_after);
  EXPECT_EQ(RetryDelay(policy, 20, true, absl::Seconds(1), 1), absl::Minutes(5));
}

TEST(RetryAfterTest, ReadsSecondsAndTheThreeFormsOfHttpDates) {
  struct Row {
    std::string value;
    std::optional<absl::Duration> expected;
  };
  const std::vector<Row> rows = {
      {"0", absl::ZeroDuration()},
      {" 120 ", absl::Minutes(2)},
      {"99999999999999999999999", absl::Hours(24 * 366)},
      {"Mon, 02 Mar 2026 02:01:00 GMT", absl::Minutes(1)},
      {"Monday, 02-Mar-26 02:01:00 GMT", absl::Minutes(1)},
      {"Mon Mar  2 02:01:00 2026", absl::Minutes(1)},
      {"Mon, 02 Mar 2026 01:00:00 GMT", absl::ZeroDuration()},  // past: at once
      {"", std::nullopt},
      {"-5", std::nullopt},
      {"1.5", std::nullopt},
      {"soon", std::nullopt},
      {std::string(1000, '9'), std::nullopt}};
  for (const Row& row : rows)
    EXPECT_EQ(ParseRetryAfter(row.value, kNow), row.expected) << row.value;
}

}  // namespace
}  // namespace tocsin::notifier
