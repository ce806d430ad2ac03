// What people do with channels.
#include "services/core/engine/channel_admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/status_details.h"
#include "common/testing/fake_clock.h"
#include "services/core/domain/validate.h"
#include "services/core/store/memory/memory_store.h"
#include "tests/simulation/faulty_store.h"

namespace tocsin::core {
namespace {

using simulation::Fault;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const ResourceName kPager = {.project = "default", .id = "pager"};
constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr char kRoutingKey[] = "R0123456789ABCDEFGHIJKLMNOPQRSTU";

class ChannelAdminTest : public ::testing::Test {
 protected:
  static Channel Pager() {
    Channel channel;
    channel.project_id = "default";
    channel.id = "pager";
    channel.url = "https://hooks.example/T0/B0";
    return channel;
  }

  // The channel after deliveries to it failed with 410.
  void Disable() {
    EXPECT_TRUE(memory_
                    .Transact(TransactionClass::kAdmin,
                              [&](Transaction& transaction) {
                                Channel channel =
                                    transaction.LockChannel(project_, "pager")->value();
                                channel.disabled_at = clock_.Now();
                                channel.disable_reason = "gone";
                                channel.failing_since = clock_.Now();
                                channel.last_error = "gone";
                                channel.told = ChannelTold{.at = clock_.Now(),
                                                           .failing_since = clock_.Now(),
                                                           .disabled_at = clock_.Now()};
                                return transaction.SaveChannel(channel);
                              })
                    .ok());
  }

  FakeClock clock_;
  MemoryStore memory_{clock_};
  const ProjectKey project_ = memory_.FindProject("default")->value();
  simulation::FaultyStore store_{memory_, 1};
  ChannelAdmin admin_{store_, clock_};
};

TEST_F(ChannelAdminTest, CreatesAChannelWithASecretOfItsOwn) {
  const absl::StatusOr<CreatedChannel> created = admin_.Create(Caller(), Pager(), "");
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_TRUE(IsWebhookSecret(created->webhook_secret));
  EXPECT_THAT(created->channel.secrets, ElementsAre(created->webhook_secret));
  EXPECT_EQ(created->channel.display_name, "pager");
  EXPECT_EQ(*admin_.Get(kPager), created->channel);
}

TEST_F(ChannelAdminTest, KeepsASecretThatWasGiven) {
  EXPECT_EQ(admin_.Create(Caller(), Pager(), kSecret)->webhook_secret, kSecret);
}

TEST_F(ChannelAdminTest, ASlackChannelHasNoSecretAndIsGivenNone) {
  Channel chat = Pager();
  chat.format = ChannelFormat::kSlack;
  const absl::StatusOr<CreatedChannel> created = admin_.Create(Caller(), chat, "");
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->webhook_secret, "");
  EXPECT_THAT(admin_.Get(kPager)->secrets, IsEmpty());
  chat.id = "chat";
  const absl::Status status = admin_.Create(Caller(), chat, kSecret).status();
  ASSERT_THAT(FieldViolations(status), SizeIs(1));
  EXPECT_EQ(FieldViolations(status)[0].field, "webhook_secret");
}

TEST_F(ChannelAdminTest, PagerDutyNeedsItsRoutingKeyWhichIsNotShownAgain) {
  Channel pager = Pager();
  pager.format = ChannelFormat::kPagerDuty;
  for (const char* no_key : {"", "short", kSecret}) {
    const absl::Status status = admin_.Create(Caller(), pager, no_key).status();
    ASSERT_THAT(FieldViolations(status), SizeIs(1)) << no_key;
    EXPECT_EQ(FieldViolations(status)[0].field, "webhook_secret");
  }
  const absl::StatusOr<CreatedChannel> created = admin_.Create(Caller(), pager, kRoutingKey);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->webhook_secret, "");
  EXPECT_THAT(admin_.Get(kPager)->secrets, ElementsAre(kRoutingKey));
}

TEST_F(ChannelAdminTest, ARoutingKeyIsNotSentToAnotherHost) {
  Channel pager = Pager();
  pager.format = ChannelFormat::kPagerDuty;
  pager.url = "https://events.eu.pagerduty.com/v2/enqueue";
  ASSERT_TRUE(admin_.Create(Caller(), pager, kRoutingKey).ok());
  const auto move_to = [&](const std::string& url) {
    return admin_
        .Update(Caller(), kPager,
                [&](Channel& channel) {
                  channel.url = url;
                  return absl::OkStatus();
                })
        .status();
  };
  for (const char* url : {"https://mine.example/v2/enqueue", "http://events.eu.pagerduty.com/",
                          "https://events.eu.pagerduty.com:444/"}) {
    const absl::Status status = move_to(url);
    ASSERT_THAT(FieldViolations(status), SizeIs(1)) << url;
    EXPECT_EQ(FieldViolations(status)[0].field, "channel.url");
  }
  EXPECT_TRUE(move_to("https://events.eu.pagerduty.com/v3/enqueue").ok());
}

TEST_F(ChannelAdminTest, AnotherSecretSignsBesideTheOldOneForATime) {
  const std::string first = admin_.Create(Caller(), Pager(), "")->webhook_secret;
  const absl::StatusOr<RotatedSecret> rotated =
      admin_.RotateSecret(Caller(), kPager, "", absl::Hours(24));
  ASSERT_TRUE(rotated.ok()) << rotated.status();
  EXPECT_TRUE(IsWebhookSecret(rotated->webhook_secret));
  EXPECT_THAT(rotated->channel.secrets, ElementsAre(rotated->webhook_secret, first));
  EXPECT_EQ(rotated->channel.old_secrets_until, clock_.Now() + absl::Hours(24));
  EXPECT_EQ(*admin_.Get(kPager), rotated->channel);
  // One whose answer was lost, and that is asked for again, takes nothing from the receiver.
  const auto again = admin_.RotateSecret(Caller(), kPager, kSecret, absl::Hours(1));
  EXPECT_THAT(again->channel.secrets, ElementsAre(kSecret, rotated->webhook_secret, first));
  EXPECT_EQ(admin_.RotateSecret(Caller(), kPager, kSecret, absl::Hours(1))->channel.secrets,
            again->channel.secrets);
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(admin_.RotateSecret(Caller(), kPager, "", absl::Hours(1)).ok());
  }
  EXPECT_THAT(admin_.Get(kPager)->secrets, SizeIs(5));
  EXPECT_EQ(admin_.Get(kPager)->secrets.back(), first) << "the receiver may know no other";
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(admin_.Get(kPager)->secrets, SizeIs(1));
  const auto at_once = admin_.RotateSecret(Caller(), kPager, "", absl::ZeroDuration());
  EXPECT_THAT(at_once->channel.secrets, ElementsAre(at_once->webhook_secret));
  EXPECT_EQ(at_once->channel.old_secrets_until, std::nullopt);
}

TEST_F(ChannelAdminTest, ARotationInDoubtShowsTheSecretThatSigns) {
  ASSERT_TRUE(admin_.Create(Caller(), Pager(), kSecret).ok());
  std::string before = kSecret;
  for (const Fault fault : {Fault::kInDoubtWritten, Fault::kInDoubtLost}) {
    store_.FailNext(fault);
    const auto rotated = admin_.RotateSecret(Caller(), kPager, "", absl::ZeroDuration());
    ASSERT_TRUE(rotated.ok()) << rotated.status();
    EXPECT_THAT(admin_.Get(kPager)->secrets, ElementsAre(rotated->webhook_secret));
    EXPECT_NE(rotated->webhook_secret, before);
    before = rotated->webhook_secret;
  }
}

TEST_F(ChannelAdminTest, OnlyWhatSignsIsGivenAnotherSecret) {
  const auto field_of = [](const absl::Status& status) {
    return FieldViolations(status).empty() ? std::string(status.message())
                                           : FieldViolations(status)[0].field;
  };
  ASSERT_TRUE(admin_.Create(Caller(), Pager(), kSecret).ok());
  EXPECT_EQ(field_of(admin_.RotateSecret(Caller(), kPager, "short", absl::Hours(1)).status()),
            "webhook_secret");
  EXPECT_EQ(field_of(admin_.RotateSecret(Caller(), kPager, "", absl::Hours(31 * 24)).status()),
            "overlap");
  Channel chat = Pager();
  chat.id = "chat";
  chat.format = ChannelFormat::kSlack;
  ASSERT_TRUE(admin_.Create(Caller(), chat, "").ok());
  EXPECT_EQ(
      field_of(
          admin_.RotateSecret(Caller(), {.project = "default", .id = "chat"}, "", absl::Hours(1))
              .status()),
      "name");
  EXPECT_TRUE(absl::IsNotFound(
      admin_.RotateSecret(Caller(), {.project = "default", .id = "none"}, "", absl::Hours(1))
          .status()));
}

TEST_F(ChannelAdminTest, AChannelKeepsItsFormat) {
  ASSERT_TRUE(admin_.Create(Caller(), Pager(), "").ok());
  const auto to_slack = [](Channel& channel) {
    channel.format = ChannelFormat::kSlack;
    return absl::OkStatus();
  };
  const absl::Status status = admin_.Update(Caller(), kPager, to_slack).status();
  ASSERT_THAT(FieldViolations(status), SizeIs(1));
  EXPECT_EQ(FieldViolations(status)[0].field, "channel.format");
}

TEST_F(ChannelAdminTest, AnUpdateMakesAMissingChannelUnlessItNeedsAKey) {
  Channel chat = Pager();
  chat.format = ChannelFormat::kSlack;
  const auto nothing = [](Channel&) { return absl::OkStatus(); };
  EXPECT_TRUE(admin_.Update(Caller(), kPager, nothing, {.if_missing = &chat}).ok());
  Channel pager = Pager();
  pager.id = "rings";
  pager.format = ChannelFormat::kPagerDuty;
  const absl::Status status =
      admin_.Update(Caller(), {"default", "rings"}, nothing, {.if_missing = &pager}).status();
  ASSERT_THAT(FieldViolations(status), SizeIs(1));
  EXPECT_EQ(FieldViolations(status)[0].field, "allow_missing");
}

TEST_F(ChannelAdminTest, TellsAllFaultsOfARequestAtOnce) {
  Channel channel = Pager();
  channel.id = "";
  channel.url = "hooks.example";
  channel.selector = "team";
  const absl::Status status = admin_.Create(Caller(), channel, "hush").status();
  std::vector<std::string> fields;
  for (const FieldViolation& violation : FieldViolations(status)) {
    fields.push_back(violation.field);
  }
  EXPECT_THAT(fields,
              ElementsAre("channel_id", "channel.url", "channel.selector", "webhook_secret"));
}

TEST_F(ChannelAdminTest, RefusesATakenIdAndAFallbackThatDoesNotExist) {
  ASSERT_TRUE(admin_.Create(Caller(), Pager(), "").ok());
  EXPECT_EQ(tocsin::Reason(admin_.Create(Caller(), Pager(), "").status()),
            "CHANNEL_ALREADY_EXISTS");
  EXPECT_EQ(tocsin::Reason(admin_.Create(Caller(), Pager(), kSecret).status()),
            "CHANNEL_ALREADY_EXISTS");
  Channel other = Pager();
  other.id = "other";
  other.fallback_channel = "nobody";
  const absl::Status status = admin_.Create(Caller(), other, "").status();
  ASSERT_THAT(FieldViolations(status), SizeIs(1));
  EXPECT_EQ(FieldViolations(status)[0].field, "channel.fallback_channel");
}

TEST_F(ChannelAdminTest, ACreationInDoubtIsResolvedByLooking) {
  for (const Fault fault : {Fault::kInDoubtWritten, Fault::kInDoubtLost}) {
    simulation::FaultyStore faulty(memory_, 1);
    ChannelAdmin admin(faulty, clock_, [&](size_t n) {
      faulty.FailNext(fault);
      return std::string(n, 'x');
    });
    Channel channel = Pager();
    channel.id = fault == Fault::kInDoubtWritten ? "written" : "lost";
    EXPECT_TRUE(admin.Create(Caller(), channel, "").ok());
  }
  EXPECT_THAT(*admin_.List("default", "", 10), SizeIs(2));
}

TEST_F(ChannelAdminTest, ListsPagesInOrderOfId) {
  for (const char* id : {"c", "a", "b"}) {
    Channel channel = Pager();
    channel.id = id;
    ASSERT_TRUE(admin_.Create(Caller(), channel, "").ok());
  }
  EXPECT_EQ(admin_.List("default", "", 2)->at(1).id, "b");
  EXPECT_EQ(admin_.List("default", "b", 2)->at(0).id, "c");
  EXPECT_EQ(tocsin::Reason(admin_.List("nowhere", "", 2).status()), "PROJECT_NOT_FOUND");
}

TEST_F(ChannelAdminTest, ANewUrlEnablesADisabledChannel) {
  ASSERT_TRUE(admin_.Create(Caller(), Pager(), "").ok());
  Disable();
  const auto rename = [](Channel& channel) {
    channel.display_name = "Pager";
    return absl::OkStatus();
  };
  EXPECT_TRUE(admin_.Update(Caller(), kPager, rename)->disabled_at.has_value());
  const auto move = [](Channel& channel) {
    channel.url = "https://hooks.example/T0/B1";
    return absl::OkStatus();
  };
  const absl::StatusOr<Channel> moved = admin_.Update(Caller(), kPager, move);
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_FALSE(moved->disabled_at.has_value());
  EXPECT_FALSE(moved->failing_since.has_value());
  EXPECT_EQ(moved->disable_reason, "");
  EXPECT_EQ(moved->last_error, "");
  EXPECT_FALSE(moved->told.has_value());
}

TEST_F(ChannelAdminTest, OtherHeadersEnableADisabledChannel) {
  ASSERT_TRUE(admin_.Create(Caller(), Pager(), "").ok());
  Disable();
  const auto sign_in = [](Channel& channel) {
    channel.headers = {{"Authorization", "Bearer s3cret"}};
    return absl::OkStatus();
  };
  const absl::StatusOr<Channel> updated = admin_.Update(Caller(), kPager, sign_in);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_FALSE(updated->disabled_at.has_value());
  EXPECT_TRUE(updated->url_set_at.has_value());
}

TEST_F(ChannelAdminTest, AnUpdateIsValidated) {
  ASSERT_TRUE(admin_.Create(Caller(), Pager(), "").ok());
  const absl::Status status = admin_
                                  .Update(Caller(), kPager,
                                          [](Channel& channel) {
                                            channel.url = "";
                                            return absl::OkStatus();
                                          })
                                  .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ChannelAdminTest, ADeletedChannelIsGoneAndItsIdIsFree) {
  ASSERT_TRUE(admin_.Create(Caller(), Pager(), "").ok());
  store_.FailNext(Fault::kNone);
  EXPECT_TRUE(admin_.Delete(Caller(), kPager).ok());
  EXPECT_EQ(tocsin::Reason(admin_.Get(kPager).status()), "CHANNEL_NOT_FOUND");
  EXPECT_EQ(tocsin::Reason(admin_.Delete(Caller(), kPager)), "CHANNEL_NOT_FOUND");
  EXPECT_TRUE(admin_.Create(Caller(), Pager(), "").ok());
}

TEST_F(ChannelAdminTest, ATestIsADeliveryThatIsDueNow) {
  ASSERT_TRUE(admin_.Create(Caller(), Pager(), "").ok());
  const absl::StatusOr<DeliveryView> test = admin_.Test(Caller(), kPager);
  ASSERT_TRUE(test.ok()) << test.status();
  EXPECT_EQ(test->delivery.type, DeliveryType::kChannelTest);
  EXPECT_EQ(test->delivery.id.size(), 26u);
  EXPECT_EQ(test->channel_id, "pager");
  const std::vector<LeasedDelivery> leased = *memory_.LeaseDeliveries({.notifier = "n",
                                                                       .lease_id = "l",
                                                                       .now = clock_.Now(),
                                                                       .lease = absl::Seconds(30),
                                                                       .limit = 1,
                                                                       .per_channel = 1});
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_EQ(leased[0].delivery.id, test->delivery.id);
  ASSERT_TRUE(leased[0].delivery.notice.has_value());
  EXPECT_EQ(leased[0].delivery.notice->channel, "projects/default/channels/pager");
}

TEST_F(ChannelAdminTest, ADisabledChannelCannotBeTested) {
  ASSERT_TRUE(admin_.Create(Caller(), Pager(), "").ok());
  Disable();
  EXPECT_EQ(tocsin::Reason(admin_.Test(Caller(), kPager).status()), "CHANNEL_DISABLED");
}

}  // namespace
}  // namespace tocsin::core
