// Channels follow the sealing keys as they rotate.
#include "services/core/store/pg/channel_sealing.h"

#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/escaping.h"
#include "services/core/store/new_delivery.h"
#include "services/core/store/pg/testing/test_database.h"

namespace tocsin::core::pg {
namespace {

const absl::Time kNow =
    absl::FromCivil(absl::CivilSecond(2026, 3, 2, 12, 0, 0), absl::UTCTimeZone());

Sealer SealerOf(const std::string& keys) {
  std::string text;
  for (const char key : keys) text += absl::Base64Escape(std::string(32, key)) + "\n";
  return Sealer::FromText(text).value();
}

class ChannelSealingTest : public testing::Test {
 protected:
  ChannelSealingTest() { database_.Migrate(); }

  // What a core with these keys does in its first `minutes`.
  void RunCore(const std::string& keys, int minutes) {
    const auto store = database_.OpenStore(SealerOf(keys));
    for (int i = 0; i <= minutes; ++i) {
      EXPECT_TRUE(store->Maintain({}, kNow + absl::Minutes(i)).ok());
    }
  }
  void AddChannel(const std::string& keys) {
    const auto store = database_.OpenStore(SealerOf(keys));
    const absl::Status added = store->Transact(TransactionClass::kAdmin, [](Transaction& t) {
      Channel channel;
      channel.project = 1;
      channel.id = "ops";
      channel.url = "https://example.org/hook";
      channel.secrets = {"whsec_1", "whsec_2"};
      channel.headers = {{"Authorization", "Bearer s3cret"}};
      channel.created_at = channel.updated_at = kNow;
      return t.InsertChannel(channel).status();
    });
    ASSERT_TRUE(added.ok()) << added;
  }
  // What a core that has these keys alone reads.
  Channel Read(const std::string& keys) {
    const auto store = database_.OpenStore(SealerOf(keys));
    Channel read;
    EXPECT_TRUE(store
                    ->Transact(TransactionClass::kAdmin,
                               [&](Transaction& t) -> absl::Status {
                                 const auto channel = t.LockChannel(1, "ops");
                                 if (channel.ok() && channel->has_value()) read = **channel;
                                 return channel.status();
                               })
                    .ok());
    return read;
  }

  // What a core that has these keys alone leases at `now`.
  std::vector<LeasedDelivery> Lease(const std::string& keys, absl::Time now) {
    const auto store = database_.OpenStore(SealerOf(keys));
    LeaseRequest request;
    request.lease_id = "lease";
    request.limit = 10;
    request.now = now;
    request.lease = absl::Seconds(30);
    request.per_channel = 8;
    request.per_failing_channel = 8;
    const auto leased = store->LeaseDeliveries(request);
    EXPECT_TRUE(leased.ok()) << leased.status();
    return leased.value_or(std::vector<LeasedDelivery>());
  }

  TestDatabase database_;
};

TEST_F(ChannelSealingTest, WhatAnOldKeySealedIsSealedAnewWithTheFirstOnceReplicasAreReplaced) {
  AddChannel("a");
  RunCore("ba", 9);
  EXPECT_EQ(Read("a").url, "https://example.org/hook");
  RunCore("ba", 10);
  EXPECT_EQ(Read("a").url, "");
  const Channel anew = Read("b");
  EXPECT_EQ(anew.url, "https://example.org/hook");
  EXPECT_EQ(anew.secrets, (std::vector<std::string>{"whsec_1", "whsec_2"}));
  EXPECT_EQ(anew.headers, (ChannelHeaders{{"Authorization", "Bearer s3cret"}}));
  const std::string all = "SELECT url::text || secrets::text || headers::text FROM channel";
  const auto sealed = database_.Query(all);
  RunCore("ba", 20);
  EXPECT_EQ(database_.Query(all), sealed);
}

TEST_F(ChannelSealingTest, HeadersThatDoNotOpenAreKeptAndNotSentWithout) {
  AddChannel("a");
  EXPECT_FALSE(Read("a").headers_closed);
  // Those of another channel do not open here.
  database_.Execute("UPDATE channel SET headers = url");
  const Channel closed = Read("a");
  EXPECT_EQ(closed.url, "https://example.org/hook");
  EXPECT_TRUE(closed.headers_closed);
  EXPECT_TRUE(closed.headers.empty());
  const auto store = database_.OpenStore(SealerOf("a"));
  EXPECT_TRUE(absl::IsFailedPrecondition(store->CheckSecrets()));
  const auto before = database_.Query("SELECT headers FROM channel");
  Delivery delivery = NewDelivery(1, DeliveryType::kChannelTest, kNow);
  delivery.channel = closed.key;
  ASSERT_TRUE(store
                  ->Transact(TransactionClass::kAdmin,
                             [&](Transaction& t) -> absl::Status {
                               Channel renamed = closed;
                               renamed.display_name = "Ops";
                               EXPECT_TRUE(t.SaveChannel(renamed).ok());
                               return t.AddDeliveries({delivery});
                             })
                  .ok());
  EXPECT_EQ(database_.Query("SELECT headers FROM channel"), before);
  EXPECT_TRUE(Lease("a", kNow).empty());
}

TEST_F(ChannelSealingTest, HeadersStayWithTheHostThatTheyWereGivenFor) {
  AddChannel("a");
  // As a core of the release before does it, which knows no headers.
  const auto moved = [&](const std::string& url) {
    Channel channel = Read("a");
    channel.url = url;
    const std::string sealed = absl::BytesToHexString(SealUrl(channel, SealerOf("a")));
    database_.Execute("UPDATE channel SET url = '\\x" + sealed + "'");
    return Read("a");
  };
  EXPECT_EQ(moved("https://example.org/other").headers.size(), 1u);
  const Channel elsewhere = moved("https://evil.example/hook");
  EXPECT_EQ(elsewhere.url, "https://evil.example/hook");
  EXPECT_TRUE(elsewhere.headers.empty());
  EXPECT_FALSE(elsewhere.headers_closed);
}

TEST_F(ChannelSealingTest, HeadersThatAnOldKeyAloneSealedAreSealedAnew) {
  AddChannel("a");
  Channel channel = Read("a");
  const Sealer newer = SealerOf("b");
  database_.Execute("UPDATE channel SET url = '\\x" +
                    absl::BytesToHexString(SealUrl(channel, newer)) + "', secrets = '\\x" +
                    absl::BytesToHexString(SealSecrets(channel, newer)) + "'");
  RunCore("ba", 10);
  EXPECT_EQ(Read("b").headers, channel.headers);
}

TEST_F(ChannelSealingTest, AChannelWithoutHeadersIsSealedOnce) {
  AddChannel("a");
  database_.Execute("UPDATE channel SET headers = ''");
  const auto sealed = database_.Query("SELECT url FROM channel");
  RunCore("a", 20);
  EXPECT_EQ(database_.Query("SELECT url FROM channel"), sealed);
  EXPECT_FALSE(Read("a").headers_closed);
}

TEST_F(ChannelSealingTest, WhatACoreCannotOpenItLeavesToOneThatCan) {
  AddChannel("a");
  Delivery delivery = NewDelivery(1, DeliveryType::kChannelTest, kNow);
  delivery.channel = Read("a").key;
  ASSERT_TRUE(database_.OpenStore(SealerOf("a"))
                  ->Transact(TransactionClass::kAdmin,
                             [&](Transaction& t) { return t.AddDeliveries({delivery}); })
                  .ok());
  const std::string before = "SELECT attempts, next_attempt_at, lease_id FROM delivery";
  const auto row = database_.Query(before);
  EXPECT_TRUE(Lease("b", kNow).empty());
  EXPECT_TRUE(Lease("b", kNow + absl::Seconds(1)).empty());
  EXPECT_EQ(database_.Query(before), row);
  const std::vector<LeasedDelivery> leased = Lease("a", kNow + absl::Seconds(1));
  ASSERT_EQ(leased.size(), 1u);
  EXPECT_EQ(leased[0].delivery.attempts, 1);
}

TEST_F(ChannelSealingTest, WhatACoreCannotOpenItDoesNotAskForAgain) {
  AddChannel("a");
  Delivery delivery = NewDelivery(1, DeliveryType::kChannelTest, kNow);
  delivery.channel = Read("a").key;
  const auto store = database_.OpenStore(SealerOf("b"));
  ASSERT_TRUE(store
                  ->Transact(TransactionClass::kAdmin,
                             [&](Transaction& t) { return t.AddDeliveries({delivery}); })
                  .ok());
  const auto changes = [&] { return database_.Query("SELECT xmin FROM delivery"); };
  LeaseRequest request;
  request.lease_id = "lease";
  request.now = kNow;
  request.lease = absl::Seconds(30);
  request.limit = 10;
  request.per_channel = request.per_failing_channel = 8;
  EXPECT_TRUE(store->LeaseDeliveries(request)->empty());
  const auto after_one = changes();
  request.now = kNow + absl::Seconds(59);
  EXPECT_TRUE(store->LeaseDeliveries(request)->empty());
  EXPECT_EQ(changes(), after_one);
  request.now = kNow + absl::Seconds(61);
  EXPECT_TRUE(store->LeaseDeliveries(request)->empty());
  EXPECT_NE(changes(), after_one);
}

TEST_F(ChannelSealingTest, WhatDoesNotOpenStaysAsItIs) {
  AddChannel("a");
  RunCore("b", 10);
  EXPECT_EQ(Read("a").url, "https://example.org/hook");
  EXPECT_EQ(Read("a").secrets.size(), 2);
}

}  // namespace
}  // namespace tocsin::core::pg
