// Which headers a channel may have, and which of them stay when it changes.
#include "services/core/domain/channel_headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/status_details.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/validate.h"

namespace tocsin::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

std::vector<FieldViolation> FaultsOf(const ChannelHeaders& headers) {
  FieldFaults faults;
  ValidateHeaders(headers, "channel.headers", faults);
  return FieldViolations(faults.ToStatus());
}

TEST(ChannelHeaders, AreTokensAndLinesOfAscii) {
  EXPECT_THAT(FaultsOf({}), IsEmpty());
  EXPECT_THAT(
      FaultsOf({{"Authorization", "Bearer a.b-c=="}, {"X-Scope-OrgID", "1"}, {"a", "\"x y\""}}),
      IsEmpty());
  EXPECT_THAT(FaultsOf({{std::string(64, 'n'), std::string(4096, 'v')}}), IsEmpty());
  for (const std::string& name : {std::string(), std::string("X Y"), std::string("X:"),
                                  std::string("X\r\nY"), std::string("é"), std::string(65, 'n')}) {
    ASSERT_EQ(FaultsOf({{name, "v"}}).size(), 1u) << name;
    EXPECT_EQ(FaultsOf({{name, "v"}})[0].field, "channel.headers");
    EXPECT_THAT(FaultsOf({{name, "v"}})[0].description, HasSubstr("none of a header"));
  }
  for (const std::string& value :
       {std::string(), std::string(" s3cret"), std::string("s3cret "), std::string("s3\r\ncret: x"),
        std::string("s3cret\t"), std::string("s3crét"), std::string(4097, 'v')}) {
    const auto faults = FaultsOf({{"X-Key", value}});
    ASSERT_EQ(faults.size(), 1u) << value;
    EXPECT_EQ(faults[0].field, "channel.headers.X-Key");
    EXPECT_THAT(faults[0].description, HasSubstr("accepted: 1 to 4096 printable"));
    EXPECT_THAT(faults[0].description, Not(HasSubstr("s3c")));
  }
}

TEST(ChannelHeaders, AreNoneThatMessagesOrConnectionsHave) {
  for (const char* name :
       {"Host", "content-type", "Content-Length", "Transfer-Encoding", "TE", "Connection",
        "Webhook-Signature", "webhook_id", "Tocsin-Redelivery", "Proxy-Authorization"}) {
    ASSERT_EQ(FaultsOf({{name, "v"}}).size(), 1u) << name;
    EXPECT_THAT(FaultsOf({{name, "v"}})[0].description, HasSubstr("have it themselves"));
  }
}

TEST(ChannelHeaders, DifferInMoreThanCaseAndAreFew) {
  EXPECT_THAT(FaultsOf({{"X-Key", "a"}, {"x-key", "b"}})[0].description, HasSubstr("twice"));
  EXPECT_THAT(FaultsOf({{"X-Key", "a"}, {"X_Key", "b"}})[0].description, HasSubstr("twice"));
  ChannelHeaders many;
  for (int i = 0; i < 16; ++i) many["X-" + std::to_string(i)] = "v";
  EXPECT_THAT(FaultsOf(many), IsEmpty());
  many["X-16"] = "v";
  EXPECT_THAT(FaultsOf(many)[0].description, HasSubstr("at most 16"));
}

Channel Stored() {
  Channel channel;
  channel.url = "https://hooks.example/T0";
  channel.headers = {{"Authorization", "Bearer s3cret"}, {"X-Env", "prod"}};
  return channel;
}

TEST(KeptHeaders, AreThoseThatAreSentBackAsTheyWereRead) {
  Channel updated = Stored();
  updated.headers = MaskHeaders(Stored().headers);
  EXPECT_THAT(updated.headers, ElementsAre(Pair("Authorization", "***"), Pair("X-Env", "***")));
  updated.headers["X-Env"] = "test";
  updated.headers["X-Team"] = "ops";
  ASSERT_TRUE(KeepHeaders(Stored(), true, updated).ok());
  EXPECT_THAT(updated.headers, ElementsAre(Pair("Authorization", "Bearer s3cret"),
                                           Pair("X-Env", "test"), Pair("X-Team", "ops")));
  updated.headers = {{"authorization", "***"}};
  ASSERT_TRUE(KeepHeaders(Stored(), true, updated).ok());
  EXPECT_THAT(updated.headers, ElementsAre(Pair("authorization", "Bearer s3cret")));
  updated.headers.clear();
  ASSERT_TRUE(KeepHeaders(Stored(), true, updated).ok());
  EXPECT_THAT(updated.headers, IsEmpty());
}

TEST(KeptHeaders, OfNoneAreAFault) {
  Channel updated = Stored();
  updated.headers = {{"X-New", "***"}};
  ASSERT_TRUE(KeepHeaders(Stored(), true, updated).ok());
  EXPECT_THAT(FaultsOf(updated.headers)[0].description,
              HasSubstr("the channel has no such header"));
}

TEST(KeptHeaders, AreNotSentToAnotherHost) {
  Channel moved = Stored();
  moved.url = "https://hooks.example/T1";
  EXPECT_TRUE(KeepHeaders(Stored(), false, moved).ok());
  moved.url = "https://evil.example/T0";
  const absl::Status refused = KeepHeaders(Stored(), false, moved);
  EXPECT_TRUE(absl::IsInvalidArgument(refused));
  EXPECT_THAT(refused.message(), HasSubstr("Authorization, X-Env were given for "
                                           "https://hooks.example and would be sent to "
                                           "https://evil.example"));
  EXPECT_THAT(refused.message(), Not(HasSubstr("s3cret")));
  moved.headers["Authorization"] = "***";
  EXPECT_TRUE(absl::IsInvalidArgument(KeepHeaders(Stored(), true, moved)));
  moved.headers = {{"Authorization", "Bearer other"}};
  EXPECT_TRUE(KeepHeaders(Stored(), true, moved).ok());
  moved.headers.clear();
  EXPECT_TRUE(KeepHeaders(Stored(), true, moved).ok());
  moved = Stored();
  moved.url = "https://" + std::string(5000, 'a');
  EXPECT_LT(KeepHeaders(Stored(), false, moved).message().size(), 1000u);
}

TEST(KeptHeaders, LeaveWhatIsNoUrlToThoseWhoJudgeUrls) {
  Channel moved = Stored();
  moved.url = "hooks.example/T1";
  EXPECT_TRUE(KeepHeaders(Stored(), false, moved).ok());
  FieldFaults faults;
  moved.id = "hook";
  ValidateChannel(moved, "channel", faults);
  ASSERT_EQ(FieldViolations(faults.ToStatus()).size(), 1u);
  EXPECT_EQ(FieldViolations(faults.ToStatus())[0].field, "channel.url");
}

TEST(KeptHeaders, ThatDoNotOpenHereAreLeftAloneOrReplaced) {
  Channel closed = Stored();
  closed.headers.clear();
  closed.headers_closed = true;
  Channel updated = closed;
  EXPECT_TRUE(KeepHeaders(closed, false, updated).ok());
  EXPECT_TRUE(updated.headers_closed);
  updated.url = "https://evil.example/T0";
  EXPECT_TRUE(absl::IsUnavailable(KeepHeaders(closed, false, updated)));
  updated.headers = {{"Authorization", "***"}};
  EXPECT_TRUE(absl::IsUnavailable(KeepHeaders(closed, true, updated)));
  updated.headers.clear();
  EXPECT_TRUE(absl::IsUnavailable(KeepHeaders(closed, true, updated)));
  updated.headers = {{"Authorization", "Bearer other"}};
  EXPECT_TRUE(KeepHeaders(closed, true, updated).ok());
  EXPECT_FALSE(updated.headers_closed);
}

}  // namespace
}  // namespace tocsin::core
