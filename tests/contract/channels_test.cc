// Contract of channels.
#include "tests/contract/store_contract.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Duration kSecond = absl::Seconds(1);

class Channels : public StoreContract {};

TEST_P(Channels, AChannelComesBackAsItWasAdded) {
  Channel channel = MakeChannel("pager");
  channel.is_default = true;
  channel.omit_output = true;
  channel.headers = {{"Authorization", "Bearer a: b"}, {"X-Env", "prod"}};
  ChannelKey key = 0;
  Do([&](Transaction& transaction) -> absl::Status {
    key = transaction.InsertChannel(channel).value();
    return absl::OkStatus();
  });
  const Channel loaded = LoadChannel("pager");
  EXPECT_EQ(loaded.key, key);
  EXPECT_EQ(loaded.project, project());
  EXPECT_EQ(loaded.project_id, "default");
  EXPECT_EQ(loaded.display_name, channel.display_name);
  EXPECT_EQ(loaded.url, channel.url);
  EXPECT_EQ(loaded.secrets, channel.secrets);
  EXPECT_EQ(loaded.format, ChannelFormat::kStandardWebhook);
  EXPECT_EQ(loaded.selector, channel.selector);
  EXPECT_TRUE(loaded.is_default);
  EXPECT_TRUE(loaded.omit_output);
  EXPECT_EQ(loaded.headers, channel.headers);
  EXPECT_EQ(loaded.fallback_channel, "mail");
  EXPECT_FALSE(loaded.disabled_at.has_value());
  EXPECT_FALSE(loaded.failing_since.has_value());
  EXPECT_FALSE(loaded.told.has_value());
  EXPECT_EQ(loaded.created_at, kStart);
}

TEST_P(Channels, AChannelWithoutASecretKeepsItsFormat) {
  Channel chat = MakeChannel("chat");
  chat.format = ChannelFormat::kSlack;
  chat.secrets.clear();
  Channel pager = MakeChannel("pager");
  pager.format = ChannelFormat::kPagerDuty;
  Do([&](Transaction& transaction) -> absl::Status {
    return transaction.InsertChannel(chat).status();
  });
  Do([&](Transaction& transaction) -> absl::Status {
    return transaction.InsertChannel(pager).status();
  });
  EXPECT_EQ(LoadChannel("chat").format, ChannelFormat::kSlack);
  EXPECT_THAT(LoadChannel("chat").secrets, IsEmpty());
  EXPECT_EQ(LoadChannel("pager").format, ChannelFormat::kPagerDuty);
}

TEST_P(Channels, ChannelsAreListedById) {
  AddChannel("b");
  AddChannel("a-z");
  AddChannel("a0");
  AddChannel("c");
  std::vector<std::string> ids;
  Do([&](Transaction& transaction) -> absl::Status {
    const std::vector<Channel> channels = *transaction.Channels(project()).value();
    for (const Channel& channel : channels) {
      ids.push_back(channel.id);
    }
    return absl::OkStatus();
  });
  EXPECT_THAT(ids, ElementsAre("a-z", "a0", "b", "c"));
  ChannelQuery query;
  query.project = project();
  query.after_id = "a-z";
  query.limit = 2;
  const std::vector<Channel> page = store().ListChannels(query).value();
  ASSERT_THAT(page, SizeIs(2));
  EXPECT_EQ(page[0].id, "a0");
  EXPECT_EQ(page[1].id, "b");
}

TEST_P(Channels, SavingAChannelWritesAllOfIt) {
  const ChannelTold told = {
      .at = kStart + kSecond, .failing_since = kStart - kSecond, .disabled_at = kStart};
  AddChannel("pager");
  Do([&](Transaction& transaction) -> absl::Status {
    Channel channel = transaction.LockChannel(project(), "pager").value().value();
    channel.url = "https://elsewhere.example/";
    channel.secrets = {"whsec_newest"};
    channel.disabled_at = kStart;
    channel.disable_reason = "gone";
    channel.failing_since = kStart - kSecond;
    channel.last_error = "status_4xx";
    channel.told = told;
    channel.omit_output = true;
    channel.headers = {{"X-Env", "prod"}};
    EXPECT_FALSE(transaction.LockChannel(project(), "other").value().has_value());
    return transaction.SaveChannel(channel);
  });
  const Channel loaded = LoadChannel("pager");
  EXPECT_EQ(loaded.url, "https://elsewhere.example/");
  EXPECT_THAT(loaded.secrets, ElementsAre("whsec_newest"));
  EXPECT_EQ(loaded.disabled_at, kStart);
  EXPECT_EQ(loaded.disable_reason, "gone");
  EXPECT_EQ(loaded.failing_since, kStart - kSecond);
  EXPECT_EQ(loaded.last_error, "status_4xx");
  EXPECT_EQ(loaded.told, told);
  EXPECT_TRUE(loaded.omit_output);
  EXPECT_EQ(loaded.headers, (ChannelHeaders{{"X-Env", "prod"}}));
  Do([&](Transaction& transaction) -> absl::Status {
    Channel channel = transaction.LockChannel(project(), "pager").value().value();
    channel.headers.clear();
    return transaction.SaveChannel(channel);
  });
  EXPECT_TRUE(LoadChannel("pager").headers.empty());
}

TEST_P(Channels, AChannelIdIsTakenUntilItIsDeleted) {
  const ChannelKey pager = AddChannel("pager");
  const auto insert = [&](Transaction& transaction) {
    return transaction.InsertChannel(MakeChannel("pager")).status();
  };
  EXPECT_EQ(store().Transact(TransactionClass::kAdmin, insert).code(),
            absl::StatusCode::kAlreadyExists);
  AddDelivery(MakeDelivery("msg_1", pager, 0, 0, kStart));
  Do([&](Transaction& transaction) { return transaction.DeleteChannel(pager, kStart + kSecond); });
  EXPECT_EQ(Find("msg_1").state, DeliveryState::kDead);
  EXPECT_THAT(Lease(kStart + absl::Hours(1)), IsEmpty());
  Do([&](Transaction& transaction) -> absl::Status {
    EXPECT_FALSE(transaction.LockChannel(project(), "pager").value().has_value());
    EXPECT_THAT(*transaction.Channels(project()).value(), IsEmpty());
    return absl::OkStatus();
  });
  EXPECT_TRUE(store().Transact(TransactionClass::kAdmin, insert).ok());
}

INSTANTIATE_TEST_SUITE_P(Stores, Channels, testing::ValuesIn(AllStores()), StoreKindName);

}  // namespace
}  // namespace tocsin::core
