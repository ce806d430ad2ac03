// Contract of requests that count once.
#include <thread>

#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

class Requests : public StoreContract {
 protected:
  static RequestRecord Record(const std::string& resource, absl::Time at = kStart) {
    return {.actor = "anonymous",
            .method = "tocsin.v1.MonitorService/CreateMonitor",
            .id = "0c6c9a8e-1f7b-4a55-9d0e-6a2f5f1c7d42",
            .fingerprint = std::string(31, '\xFF') + std::string(1, '\0'),
            .resource = resource,
            .version = 0,
            .secret_key_id = std::string("k\0y1", 4),
            .at = at};
  }
  std::optional<RequestRecord> Claim(const RequestRecord& record) {
    std::optional<RequestRecord> earlier;
    Do([&](Transaction& transaction) -> absl::Status {
      absl::StatusOr<std::optional<RequestRecord>> claimed =
          transaction.ClaimRequest(record, record.at - kRequestMemory);
      if (!claimed.ok()) return claimed.status();
      earlier = *std::move(claimed);
      return absl::OkStatus();
    });
    return earlier;
  }
};

TEST_P(Requests, TheFirstIsRememberedWithItsVersionAndTheSecondFindsIt) {
  RequestRecord first = Record("a");
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_EQ(transaction.ClaimRequest(first, kStart - kRequestMemory).value(), std::nullopt);
    first.version = 7;
    return transaction.SaveRequest(first);
  });
  EXPECT_EQ(Claim(Record("b", kStart + absl::Hours(1))), first);
  RequestRecord other = Record("c");
  other.method = "tocsin.v1.ChannelService/CreateChannel";
  EXPECT_EQ(Claim(other), std::nullopt);
  other = Record("c");
  other.actor = "somebody";
  other.secret_key_id = "";
  EXPECT_EQ(Claim(other), std::nullopt);
  EXPECT_EQ(Claim(other), other);
}

TEST_P(Requests, WhatIsRolledBackIsNotRemembered) {
  EXPECT_FALSE(
      store()
          .Transact(TransactionClass::kAdmin,
                    [&](Transaction& transaction) -> absl::Status {
                      EXPECT_TRUE(
                          transaction.ClaimRequest(Record("a"), kStart - kRequestMemory).ok());
                      return absl::AbortedError("no");
                    })
          .ok());
  EXPECT_EQ(Claim(Record("b")), std::nullopt);
}

TEST_P(Requests, OneOfTwoAtTheSameTimeIsTheFirst) {
  std::optional<RequestRecord> seen;
  std::thread second;
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_EQ(transaction.ClaimRequest(Record("a"), kStart - kRequestMemory).value(), std::nullopt);
    second = std::thread([&] { seen = Claim(Record("b")); });
    return absl::OkStatus();
  });
  second.join();
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->resource, "a");
}

TEST_P(Requests, OldOnesAreForgottenAlsoBeforeUpkeepDropsThem) {
  EXPECT_EQ(Claim(Record("a")), std::nullopt);
  EXPECT_EQ(Claim(Record("b", kStart + kRequestMemory)), std::nullopt);
  EXPECT_EQ(Claim(Record("c", kStart + kRequestMemory))->resource, "b");
  EXPECT_TRUE(store().Maintain(RetentionPolicy(), kStart + 2 * kRequestMemory).ok());
  // It would still be found by somebody whose clock is behind.
  EXPECT_EQ(Claim(Record("d", kStart + kRequestMemory)), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Stores, Requests, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
