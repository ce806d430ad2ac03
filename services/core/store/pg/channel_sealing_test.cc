// Channels follow the sealing keys as they rotate.
#include "services/core/store/pg/channel_sealing.h"

#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/escaping.h"
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
  const auto sealed = database_.Query("SELECT url::text || secrets::text FROM channel");
  RunCore("ba", 20);
  EXPECT_EQ(database_.Query("SELECT url::text || secrets::text FROM channel"), sealed);
}

TEST_F(ChannelSealingTest, WhatDoesNotOpenStaysAsItIs) {
  AddChannel("a");
  RunCore("b", 10);
  EXPECT_EQ(Read("a").url, "https://example.org/hook");
  EXPECT_EQ(Read("a").secrets.size(), 2);
}

}  // namespace
}  // namespace tocsin::core::pg
