// How many leases a channel earns and loses.
#include "services/core/engine/lease_allowances.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace tocsin::core {
namespace {

constexpr ChannelKey kChannel = 7;
const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

class LeaseAllowancesTest : public ::testing::Test {
 protected:
  int Allowance(ChannelKey channel = kChannel) {
    const auto known = allowances_.Get(now_);
    const auto found = known.find(channel);
    return found == known.end() ? allowances_.first() : found->second;
  }
  // Leases as many as the channel may have, and reports all of them `later`.
  void Round(DeliveryResult result, absl::Duration later, ChannelKey channel = kChannel) {
    std::vector<LeasedDelivery> leased(Allowance(channel));
    std::vector<DeliveryReport> reports(leased.size());
    for (size_t i = 0; i < leased.size(); ++i) {
      leased[i].delivery.id = absl::StrCat("msg_", i);
      leased[i].delivery.channel = channel;
      reports[i].delivery_id = leased[i].delivery.id;
      reports[i].result = result;
    }
    allowances_.Leased(leased, now_);
    now_ += later;
    allowances_.Reported(reports, now_);
  }

  absl::Time now_ = kStart;
  LeaseAllowances allowances_{AllowanceOptions{.first = 4, .most = 20}};
};

TEST_F(LeaseAllowancesTest, AChannelThatNothingIsKnownOfHasFew) { EXPECT_EQ(Allowance(), 4); }

TEST_F(LeaseAllowancesTest, PromptSuccessesDoubleItEachRoundUpToTheMost) {
  Round(DeliveryResult::kDelivered, absl::Milliseconds(20));
  EXPECT_EQ(Allowance(), 8);
  Round(DeliveryResult::kDelivered, absl::Milliseconds(20));
  EXPECT_EQ(Allowance(), 16);
  Round(DeliveryResult::kDelivered, absl::Milliseconds(20));
  EXPECT_EQ(Allowance(), 20);
  EXPECT_EQ(Allowance(8), 4);
}

TEST_F(LeaseAllowancesTest, AFailureTakesItBackToTheFew) {
  Round(DeliveryResult::kDelivered, absl::Milliseconds(20));
  Round(DeliveryResult::kRetry, absl::Milliseconds(20));
  EXPECT_EQ(Allowance(), 4);
}

TEST_F(LeaseAllowancesTest, ASlowReceiverLosesWhatItEarnedAndEarnsNoMore) {
  Round(DeliveryResult::kDelivered, absl::Seconds(9));
  EXPECT_EQ(Allowance(), 4);
  Round(DeliveryResult::kDelivered, absl::Milliseconds(20));
  Round(DeliveryResult::kDelivered, absl::Seconds(9));
  EXPECT_EQ(Allowance(), 4);
}

TEST_F(LeaseAllowancesTest, WhatWasNotTriedSaysNothing) {
  Round(DeliveryResult::kDelivered, absl::Milliseconds(20));
  Round(DeliveryResult::kDeferred, absl::Seconds(9));
  EXPECT_EQ(Allowance(), 8);
}

TEST_F(LeaseAllowancesTest, AReportOfWhatAnotherReplicaLeasedSaysNothing) {
  DeliveryReport report;
  report.delivery_id = "msg_other";
  report.result = DeliveryResult::kDelivered;
  allowances_.Reported({&report, 1}, now_);
  EXPECT_EQ(Allowance(), 4);
}

TEST_F(LeaseAllowancesTest, AChannelThatWasSilentForLongBeginsAnew) {
  Round(DeliveryResult::kDelivered, absl::Milliseconds(20));
  now_ += absl::Minutes(11);
  EXPECT_EQ(Allowance(), 4);
}

}  // namespace
}  // namespace tocsin::core
