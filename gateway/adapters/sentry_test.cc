// Sentry's check-ins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/adapters/testing/reading_fixture.h"

namespace tocsin::gateway {
namespace {

using ::testing::HasSubstr;

constexpr char kPath[] = "/api/4501/cron/nightly-backup/tk_a/";

TEST(SentryTest, ACheckInIsAHeartbeat) {
  struct Case {
    const char* query;
    PushKind kind;
  };
  for (const Case& c :
       {Case{"?status=in_progress", PushKind::kStart}, Case{"?status=ok", PushKind::kUp},
        Case{"?environment=prod&status=error", PushKind::kDown}}) {
    const Reading r = ReadAs({std::string(kPath) + c.query});
    ASSERT_EQ(r.adapter, &SentryAdapter()) << c.query;
    EXPECT_TRUE(r.status.ok()) << r.status;
    EXPECT_EQ(r.to.secret, "tk_a") << c.query;
    EXPECT_EQ(r.to.monitor_id, "nightly-backup") << c.query;
    EXPECT_EQ(r.p.kind, c.kind) << c.query;
    EXPECT_EQ(r.p.run_id, "") << c.query;
    EXPECT_FALSE(r.p.create) << c.query;
  }
  EXPECT_EQ(ReadAs({"/api/1/cron/Db_Main/tk_a?status=ok"}).to.monitor_id, "db-main");
}

TEST(SentryTest, TheKeyMayBeAParameterOrAHeader) {
  EXPECT_EQ(ReadAs({"/api/1/cron/m/?status=ok&sentry_key=tk_b"}).to.secret, "tk_b");
  EXPECT_EQ(ReadAs({"/api/1/cron/m?status=ok",
                    {{"X-Sentry-Auth", "Sentry sentry_version=7, sentry_key=tk_c, x=y"}}})
                .to.secret,
            "tk_c");
  EXPECT_TRUE(absl::IsUnauthenticated(ReadAs({"/api/1/cron/m/?status=ok"}).status));
}

TEST(SentryTest, TheCheckInIsTheRun) {
  const std::string base = std::string(kPath) + "?status=in_progress&check_in_id=";
  EXPECT_EQ(ReadAs({base + "83A7C03ED0A04E1B97E2E3B18D38F244"}).p.run_id,
            "83a7c03ed0a04e1b97e2e3b18d38f244");
  EXPECT_EQ(ReadAs({base + "83a7c03e-d0a0-4e1b-97e2-e3b18d38f244"}).p.run_id,
            "83a7c03ed0a04e1b97e2e3b18d38f244");
  EXPECT_EQ(ReadAs({base + std::string(32, '0')}).p.run_id, "") << "the newest one";
  for (const std::string& id : {std::string("1"), std::string(32, 'g'), std::string(300, 'a'),
                                std::string("%00"), std::string("latest")}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReadAs({base + id}).status)) << id;
  }
}

TEST(SentryTest, ReadsAJsonBodyBehindTheQuery) {
  const Reading r = ReadAs({kPath,
                            {{"Content-Type", "application/json"}},
                            R"({"status":"error","duration":2.5,
                                "check_in_id":"83a7c03ed0a04e1b97e2e3b18d38f244",
                                "monitor_config":{"schedule":{"type":"crontab","value":"0 * * * *"}}})"});
  EXPECT_TRUE(r.status.ok()) << r.status;
  EXPECT_EQ(r.p.kind, PushKind::kDown);
  EXPECT_EQ(r.p.value, 2.5);
  EXPECT_EQ(r.p.run_id, "83a7c03ed0a04e1b97e2e3b18d38f244");
  EXPECT_TRUE(r.p.create);
  EXPECT_EQ(ReadAs({std::string(kPath) + "?status=ok", {}, R"({"status":"error"})"}).p.kind,
            PushKind::kUp);
  EXPECT_EQ(ReadAs({std::string(kPath) + "?status=ok&duration=12", {}, "{"}).p.value, 12);
}

TEST(SentryTest, ABodyThatIsNoObjectIsNoCheckIn) {
  for (const std::string& body :
       {std::string("null"), std::string("[1]"), std::string("\xFF"), std::string(120'000, '['),
        std::string(60'000, '[') + std::string(60'000, ']'), std::string(R"({"status":1})"),
        std::string(R"({"status":["ok"]})")}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReadAs({kPath, {}, body}).status)) << body.substr(0, 20);
    EXPECT_TRUE(ReadAs({std::string(kPath) + "?status=ok", {}, body}).status.ok());
  }
}

TEST(SentryTest, SaysWhatIsWrong) {
  struct Case {
    std::string target, text;
  };
  for (const Case& c : {
           Case{kPath, "status must be"},
           Case{std::string(kPath) + "?status=OK", "status must be"},
           Case{std::string(kPath) + "?status=missed", "status must be"},
           Case{std::string(kPath) + "?status=ok&duration=long", "duration must be"},
           Case{"/api/1/cron/m/k/more?status=ok", "the path must be"},
           Case{"/api/1/cron/a%2Fb/k/?status=ok", "the slug must be"},
           Case{"/api/1/cron//k/?status=ok", "the slug must be"},
           Case{"/api/1/cron/" + std::string(64, 'a') + "/k/?status=ok", "the slug must be"},
       }) {
    const Reading r = ReadAs({c.target});
    ASSERT_EQ(r.adapter, &SentryAdapter()) << c.target;
    EXPECT_TRUE(absl::IsInvalidArgument(r.status)) << c.target;
    EXPECT_THAT(std::string(r.status.message()), HasSubstr(c.text)) << c.target;
  }
}

TEST(SentryTest, TakesOnlyProjectsThatAreNumbers) {
  for (const char* target :
       {"/api/push/cron/m/k/", "/api//cron/m/k", "/api/1/cron/", "/api/1/cron", "/api/1/envelope/",
        "/api/1x/cron/m/k", "/api/v1/cron/m/k", "/api/1"}) {
    EXPECT_EQ(ReadAs({target}).adapter, nullptr) << target;
  }
}

TEST(SentryTest, Answers202OrADetail) {
  const http::Response accepted = AnswerOf(SentryAdapter(), PushVerdict::kRecorded, "");
  EXPECT_EQ(accepted.status, 202);
  EXPECT_EQ(accepted.body, "");
  EXPECT_EQ(AnswerOf(SentryAdapter(), PushVerdict::kCreated).status, 202);
  const http::Response bad = AnswerOf(SentryAdapter(), PushVerdict::kBadRequest);
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body, R"({"detail":"what is wrong"})");
  EXPECT_EQ(AnswerOf(SentryAdapter(), PushVerdict::kUnknown).status, 404);
  EXPECT_EQ(AnswerOf(SentryAdapter(), PushVerdict::kNoSecret).status, 401);
}

}  // namespace
}  // namespace tocsin::gateway
