// Opsgenie's heartbeats: the key in its header, names of any kind, answers as JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "gateway/adapters/testing/reading_fixture.h"

namespace tocsin::gateway {
namespace {

using ::testing::HasSubstr;

Reading Ping(const std::string& target, const std::string& authorization = "GenieKey tk_a") {
  return ReadAs({target, {{"Authorization", authorization}}});
}

TEST(OpsgenieTest, APingIsAnUpOfTheMonitorOfThatName) {
  struct Case {
    const char *target, *monitor;
  };
  for (const Case& c : {Case{"/v2/heartbeats/nightly/ping", "nightly"},
                        Case{"/v2/heartbeats/nightly/ping/", "nightly"},
                        Case{"/v2/heartbeats/DNS%20Checker_1.a/ping", "dns-checker-1-a"},
                        Case{"/v2/heartbeats/nightly/ping?identifierType=name", "nightly"}}) {
    const Reading r = Ping(c.target);
    ASSERT_EQ(r.adapter, &OpsgenieAdapter()) << c.target;
    EXPECT_TRUE(r.status.ok()) << c.target;
    EXPECT_EQ(r.to.secret, "tk_a") << c.target;
    EXPECT_EQ(r.to.monitor_id, c.monitor) << c.target;
    EXPECT_EQ(r.p.kind, PushKind::kUp) << c.target;
    EXPECT_FALSE(r.p.create) << c.target;
  }
  EXPECT_EQ(Ping("/v2/heartbeats/a/ping", "geniekey  tk_b ").to.secret, "tk_b");
}

TEST(OpsgenieTest, AlertmanagersWebhookMaySendTheKeyAsAPassword) {
  const auto secret = [](const std::string& pair) {
    return Ping("/v2/heartbeats/a/ping", "Basic " + absl::Base64Escape(pair)).to.secret;
  };
  EXPECT_EQ(secret(":tk_a"), "tk_a");
  EXPECT_EQ(secret("any:tk_a"), "tk_a");
  EXPECT_EQ(secret("tk_a:"), "tk_a");
}

TEST(OpsgenieTest, WithoutAKeyNobodyIsLetIn) {
  for (const char* authorization : {"", "GenieKey", "GenieKey ", "Bearer tk_a", "GenieKeytk_a",
                                    "Basic", "Basic Og==", "Basic %%", "Basic dGtfYQ=="}) {
    EXPECT_TRUE(absl::IsUnauthenticated(Ping("/v2/heartbeats/a/ping", authorization).status))
        << authorization;
  }
}

TEST(OpsgenieTest, NamesThatNoMonitorCanHaveAreRefused) {
  for (const std::string name : {"", "a%2Fb", "%00", "%E2%82%AC", "a+b", "%2e%2e"}) {
    const Reading r = Ping("/v2/heartbeats/" + name + "/ping");
    ASSERT_EQ(r.adapter, &OpsgenieAdapter()) << name;
    EXPECT_TRUE(absl::IsInvalidArgument(r.status)) << name;
  }
}

TEST(OpsgenieTest, OtherPathsOfItsApiAreNotPings) {
  for (const char* target : {"/v2/heartbeats", "/v2/heartbeats/", "/v2/heartbeats/a",
                             "/v2/heartbeats/a/enable", "/v2/heartbeats/a/b/ping", "/v2/alerts"}) {
    EXPECT_EQ(Ping(target).adapter, nullptr) << target;
  }
}

TEST(OpsgenieTest, AnswersAsItsApiDoes) {
  const http::Response pong = AnswerOf(OpsgenieAdapter(), PushVerdict::kRecorded, "");
  EXPECT_EQ(pong.status, 202);
  EXPECT_EQ(pong.content_type, "application/json");
  EXPECT_EQ(pong.body, R"({"result":"PONG - Heartbeat received","took":0.003,"requestId":"id-1"})");
  EXPECT_EQ(AnswerOf(OpsgenieAdapter(), PushVerdict::kPaused).status, 202);
  struct Case {
    PushVerdict verdict;
    int status;
  };
  for (const Case& c : {Case{PushVerdict::kUnknown, 404}, Case{PushVerdict::kNoSecret, 401},
                        Case{PushVerdict::kBadRequest, 400}, Case{PushVerdict::kWrongMethod, 405},
                        Case{PushVerdict::kTooOften, 429}, Case{PushVerdict::kTryLater, 503}}) {
    const http::Response response = AnswerOf(OpsgenieAdapter(), c.verdict);
    EXPECT_EQ(response.status, c.status);
    EXPECT_THAT(response.body, HasSubstr(R"({"message":")"));
    EXPECT_THAT(response.body, HasSubstr(R"("took":0.003,"requestId":"id-1"})"));
  }
}

}  // namespace
}  // namespace tocsin::gateway
