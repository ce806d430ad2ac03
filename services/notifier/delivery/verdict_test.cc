// Tells what is reported of each way in which a delivery can end.
#include "services/notifier/delivery/verdict.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tocsin::notifier {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'772'416'800);

DeliveryFacts Facts() {
  DeliveryFacts facts;
  facts.origin = 7;
  facts.lease_id = "lease";
  facts.delivery_id = "msg_1";
  facts.incident_open = true;
  return facts;
}

Report Judge(const DeliveryFacts& facts, Outcome outcome, int status = 0) {
  return JudgeAttempt(RetryPolicy{}, facts, {outcome, status, std::nullopt}, 1);
}

TEST(VerdictTest, SuccessIsDeliveredAndNamesItsLease) {
  const Report report = Judge(Facts(), Outcome::kOk, 204);
  EXPECT_EQ(report.result, Result::kDelivered);
  EXPECT_EQ(report.origin, 7u);
  EXPECT_EQ(report.lease_id, "lease");
  EXPECT_EQ(report.delivery_id, "msg_1");
  EXPECT_EQ(report.http_status, 204);
}

TEST(VerdictTest, GoneIsGone) {
  EXPECT_EQ(Judge(Facts(), Outcome::kGone, 410).result, Result::kGone);
}

TEST(VerdictTest, AMessageThatIsRefusedIsDeadAtOnce) {
  const Report report = Judge(Facts(), Outcome::kRejected, 400);
  EXPECT_EQ(report.result, Result::kDead);
  EXPECT_EQ(report.outcome, Outcome::kRejected);
  EXPECT_EQ(report.http_status, 400);
}

TEST(VerdictTest, EveryOtherOutcomeOfAnAttemptIsRetried) {
  for (Outcome outcome : kAllOutcomes) {
    if (!IsAttempt(outcome) || outcome == Outcome::kOk || outcome == Outcome::kGone ||
        outcome == Outcome::kRejected) {
      continue;
    }
    const Report report = Judge(Facts(), outcome);
    EXPECT_EQ(report.result, Result::kRetry) << OutcomeWord(outcome);
    EXPECT_EQ(report.retry_after, absl::Seconds(1)) << OutcomeWord(outcome);
  }
}

TEST(VerdictTest, WhatWasNotTriedIsDeferred) {
  const Report report = Defer(Facts(), Outcome::kCircuitOpen, absl::Seconds(3));
  EXPECT_EQ(report.result, Result::kDeferred);
  EXPECT_EQ(report.retry_after, absl::Seconds(3));
  EXPECT_EQ(Reject(Facts()).result, Result::kDead);
}

TEST(OutcomeTest, EachHasAWordOfItsOwn) {
  std::set<std::string> words;
  for (Outcome outcome : kAllOutcomes) words.insert(std::string(OutcomeWord(outcome)));
  EXPECT_EQ(words.size(), kAllOutcomes.size());
  EXPECT_EQ(words.count(""), 0u);
}

TEST(OutcomeTest, ClassifiesStatuses) {
  EXPECT_EQ(OutcomeOfStatus(200), Outcome::kOk);
  EXPECT_EQ(OutcomeOfStatus(299), Outcome::kOk);
  EXPECT_EQ(OutcomeOfStatus(302), Outcome::kStatus3xx);
  EXPECT_EQ(OutcomeOfStatus(404), Outcome::kStatus4xx);
  EXPECT_EQ(OutcomeOfStatus(410), Outcome::kGone);
  EXPECT_EQ(OutcomeOfStatus(429), Outcome::kStatus4xx);
  EXPECT_EQ(OutcomeOfStatus(503), Outcome::kStatus5xx);
  EXPECT_EQ(OutcomeOfStatus(999), Outcome::kStatus5xx);
}

}  // namespace
}  // namespace tocsin::notifier
