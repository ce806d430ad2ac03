// Gatus' external endpoints.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/adapters/testing/reading_fixture.h"

namespace tocsin::gateway {
namespace {

using ::testing::HasSubstr;

Reading Report(const std::string& query, const std::string& key = "core_nightly-backup",
               const std::string& body = "", const std::string& authorization = "Bearer tk_a") {
  return ReadAs({"/api/v1/endpoints/" + key + "/external" + query,
                 {{"Authorization", authorization}, {"Content-Type", "application/json"}},
                 body});
}

TEST(GatusTest, ReportsSuccessAndFailureOfTheMonitorWithItsKey) {
  const Reading up = Report("?success=true&error=ignored&duration=10s");
  ASSERT_EQ(up.adapter, &GatusAdapter());
  EXPECT_TRUE(up.status.ok());
  EXPECT_EQ(up.to.secret, "tk_a");
  EXPECT_EQ(up.to.monitor_id, "core-nightly-backup");
  EXPECT_EQ(up.p.kind, PushKind::kUp);
  EXPECT_EQ(up.p.message, "");
  EXPECT_EQ(up.p.value, 10);
  const Reading down = Report("?success=false&error=disk+full");
  EXPECT_EQ(down.p.kind, PushKind::kDown);
  EXPECT_EQ(down.p.message, "disk full");
  EXPECT_EQ(down.p.value, std::nullopt);
  EXPECT_FALSE(down.p.create);
  EXPECT_EQ(Report("?success=true", "_no-group").to.monitor_id, "no-group");
}

TEST(GatusTest, AnErrorMayBeInTheBody) {
  EXPECT_EQ(Report("?success=false", "a_b", R"({"error":"of the body"})").p.message, "of the body");
  EXPECT_EQ(Report("?success=false&error=query", "a_b", R"({"error":"body"})").p.message,
            "query; body");
  for (const char* body : {"", "{", "[]", "null", R"({"error":5})", R"({"x":"y"})"}) {
    EXPECT_EQ(Report("?success=false&error=query", "a_b", body).p.message, "query") << body;
  }
  EXPECT_EQ(Report("?success=true", "a_b", R"({"error":"none"})").p.message, "");
  const std::string deep = std::string(60'000, '[') + std::string(60'000, ']');
  EXPECT_EQ(Report("?success=false&error=query", "a_b", deep).p.message, "query");
}

TEST(GatusTest, DurationsAreThoseOfGoInSeconds) {
  struct Case {
    const char* text;
    double seconds;
  };
  for (const Case& c :
       {Case{"10s", 10}, Case{"1m30s", 90}, Case{"250ms", 0.25}, Case{"1.5h", 5400},
        Case{"80%C2%B5s", 80e-6}, Case{"80%CE%BCs", 80e-6}, Case{"80us", 80e-6}, Case{"0", 0}}) {
    const Reading r = Report(std::string("?success=true&duration=") + c.text);
    ASSERT_TRUE(r.p.value) << c.text;
    EXPECT_DOUBLE_EQ(*r.p.value, c.seconds) << c.text;
  }
  for (const char* text : {"10", "ten", "10d", "inf", "%FF"}) {
    EXPECT_THAT(std::string(Report(std::string("?success=true&duration=") + text).status.message()),
                HasSubstr("invalid duration"))
        << text;
  }
  EXPECT_TRUE(Report("?success=true&duration=").status.ok());
}

TEST(GatusTest, SaysWhatIsWrongInItsWords) {
  for (const char* query : {"", "?", "?success=", "?success=TRUE", "?success=1", "?error=x"}) {
    EXPECT_EQ(Report(query).status,
              absl::InvalidArgumentError("missing or invalid success query parameter"))
        << query;
  }
  // And whose push it was.
  EXPECT_EQ(Report("?success=1").to.monitor_id, Report("?success=true").to.monitor_id);
  EXPECT_EQ(Report("?success=1").to.secret, Report("?success=true").to.secret);
  EXPECT_NE(Report("?success=1").to.secret, "");
  for (const char* authorization : {"", "Bearer", "Basic dDp0"}) {
    EXPECT_TRUE(absl::IsUnauthenticated(Report("?success=true", "a_b", "", authorization).status))
        << authorization;
  }
  for (const std::string key : {"%00", "a%2Fb", "___", "%FF"}) {
    EXPECT_THAT(std::string(Report("?success=true", key).status.message()),
                HasSubstr("invalid key"))
        << key;
  }
}

TEST(GatusTest, TakesNothingElseBelowItsPrefix) {
  for (const char* target :
       {"/api/v1/endpoints/a_b/statuses", "/api/v1/endpoints/a_b", "/api/v1/endpoints//external/x",
        "/api/v1/projects/default/monitors", "/api/v1/push", "/api/v1/endpoints/external"}) {
    EXPECT_EQ(ReadAs({target}).adapter, nullptr) << target;
  }
  EXPECT_TRUE(GatusAdapter().Takes("POST"));
  EXPECT_FALSE(GatusAdapter().Takes("GET"));
}

TEST(GatusTest, AnswersWithNothingOrASentence) {
  const http::Response recorded = AnswerOf(GatusAdapter(), PushVerdict::kRecorded, "");
  EXPECT_EQ(recorded.status, 200);
  EXPECT_EQ(recorded.body, "");
  const http::Response unknown = AnswerOf(GatusAdapter(), PushVerdict::kUnknown);
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.body, "not found");
  EXPECT_EQ(AnswerOf(GatusAdapter(), PushVerdict::kNoSecret).status, 401);
}

}  // namespace
}  // namespace tocsin::gateway
