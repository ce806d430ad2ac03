// Healthchecks' pings: every form of the path, run ids, bodies and answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/adapters/testing/reading_fixture.h"

namespace tocsin::gateway {
namespace {

using ::testing::HasSubstr;

constexpr char kUuid[] = "07c2f548-9850-4b27-af5d-6c9dc157ec02";
constexpr char kKey[] = "fqOOd6-F4MMNuCEnzTU01w";  // 22 characters, as theirs are

TEST(HealthchecksTest, AUuidIsAPushTokenAndTheEndSaysWhatHappened) {
  struct Case {
    std::string path;
    PushKind kind;
    std::optional<int> exit_status{};
  };
  const std::string base = std::string("/ping/") + kUuid;
  for (const Case& c :
       {Case{base, PushKind::kUp}, Case{base + "/", PushKind::kUp},
        Case{base + "/start", PushKind::kStart}, Case{base + "/start/", PushKind::kStart},
        Case{base + "/fail", PushKind::kDown}, Case{base + "/log", PushKind::kLog},
        Case{base + "/0", PushKind::kUp, 0}, Case{base + "/1", PushKind::kDown, 1},
        Case{base + "/123", PushKind::kDown, 123}, Case{base + "/255", PushKind::kDown, 255},
        Case{base + "/007?x=1", PushKind::kDown, 7}, Case{base + "/st%61rt", PushKind::kStart},
        Case{"http://host" + base + "?status=down", PushKind::kUp},
        Case{"/ping/07C2F548-9850-4B27-AF5D-6C9DC157EC02/fail", PushKind::kDown}}) {
    const Reading r = ReadAs({c.path});
    ASSERT_EQ(r.adapter, &HealthchecksAdapter()) << c.path;
    EXPECT_TRUE(r.status.ok()) << c.path;
    EXPECT_EQ(r.to.secret, kUuid) << c.path;
    EXPECT_EQ(r.to.monitor_id, "") << c.path;
    EXPECT_EQ(r.p.kind, c.kind) << c.path;
    EXPECT_EQ(r.p.exit_status, c.exit_status) << c.path;
    EXPECT_FALSE(r.p.create) << c.path;
  }
}

TEST(HealthchecksTest, TheUrlsOfHcPingComHaveNoPing) {
  const std::string base = std::string("/") + kUuid;
  for (const auto& [path, kind] :
       {std::pair(base, PushKind::kUp), std::pair(base + "/", PushKind::kUp),
        std::pair(base + "/fail", PushKind::kDown), std::pair(base + "/3?rid=", PushKind::kDown)}) {
    const Reading r = ReadAs({path});
    ASSERT_EQ(r.adapter, &HealthchecksAdapter()) << path;
    EXPECT_EQ(r.to.secret, kUuid) << path;
    EXPECT_EQ(r.p.kind, kind) << path;
  }
  const Reading slug = ReadAs({"/tk_abc/nightly/start"});
  ASSERT_EQ(slug.adapter, &HealthchecksAdapter());
  EXPECT_EQ(slug.to.secret, "tk_abc");
  EXPECT_EQ(slug.to.monitor_id, "nightly");
  EXPECT_EQ(slug.p.kind, PushKind::kStart);
  for (const char* path : {"/", "", "/07c2f548-9850-4b27-af5d/fail", "/nobody", "/api/nobody"}) {
    EXPECT_EQ(ReadAs({path}).adapter, nullptr) << path;
  }
}

TEST(HealthchecksTest, EveryExitStatusUpTo255IsTakenAndNoneAbove) {
  for (int status = 0; status <= 300; ++status) {
    const Reading r = ReadAs({std::string("/ping/") + kUuid + "/" + std::to_string(status)});
    EXPECT_EQ(r.status.ok(), status <= 255) << status;
    if (!r.status.ok()) continue;
    EXPECT_EQ(r.p.exit_status, status);
    EXPECT_EQ(r.p.kind, status == 0 ? PushKind::kUp : PushKind::kDown) << status;
  }
}

TEST(HealthchecksTest, AKeyAndASlugNameAMonitor) {
  struct Case {
    std::string path, secret, monitor;
    PushKind kind = PushKind::kUp;
    std::optional<int> exit_status{};
  };
  const std::string key = kKey;
  for (const Case& c : {
           Case{"/ping/" + key + "/backup", key, "backup"},
           Case{"/ping/" + key + "/backup/", key, "backup"},
           Case{"/ping/" + key + "/db_main-1/start", key, "db-main-1", PushKind::kStart},
           Case{"/ping/" + key + "/backup/fail/", key, "backup", PushKind::kDown},
           Case{"/ping/" + key + "/backup/log", key, "backup", PushKind::kLog},
           Case{"/ping/" + key + "/backup/0", key, "backup", PushKind::kUp, 0},
           Case{"/ping/" + key + "/backup/17", key, "backup", PushKind::kDown, 17},
           Case{"/ping/" + key + "/17/17", key, "17", PushKind::kDown, 17},
           Case{"/ping/tk_Ab/backup", "tk_Ab", "backup"},
           Case{"/ping/tk_Ab/start", "tk_Ab", "start"},
           Case{"/ping/tk_Ab/17", "tk_Ab", "17"},
           // What is neither a UUID nor a key of ours, in front of a signal, is a token.
           Case{"/ping/Token1/start", "Token1", "", PushKind::kStart},
           Case{"/ping/Token1/3", "Token1", "", PushKind::kDown, 3},
           Case{"/ping/Token1", "Token1", ""},
           Case{"/ping/T%6Fken1", "Token1", ""},
           Case{"/ping/tk_Ab", "tk_Ab", ""},
       }) {
    const Reading r = ReadAs({c.path});
    ASSERT_EQ(r.adapter, &HealthchecksAdapter()) << c.path;
    EXPECT_TRUE(r.status.ok()) << c.path;
    EXPECT_EQ(r.to.secret, c.secret) << c.path;
    EXPECT_EQ(r.to.monitor_id, c.monitor) << c.path;
    EXPECT_EQ(r.p.kind, c.kind) << c.path;
    EXPECT_EQ(r.p.exit_status, c.exit_status) << c.path;
  }
}

TEST(HealthchecksTest, WhatIsNoUrlOfAPingIsSaidSo) {
  const std::string uuid = std::string("/ping/") + kUuid, key = std::string("/ping/") + kKey;
  for (const std::string& path : {uuid + "/256",
                                  uuid + "/99999999999999999999",
                                  uuid + "/-1",
                                  uuid + "/1.5",
                                  uuid + "/stop",
                                  uuid + "/START",
                                  uuid + "/slug/start",
                                  uuid + "//",
                                  uuid + "//start",
                                  uuid + "/%00",
                                  key + "/256",
                                  key + "/Backup",
                                  key + "/a.b",
                                  key + "/a%20b",
                                  key + "/a%2Fb",
                                  key + "/%FF",
                                  key + "/..%2F..%2Fetc",
                                  key + "/___",
                                  key + "/backup/256",
                                  key + "/backup/stop",
                                  key + "/backup/start/more",
                                  key + "//start",
                                  key + "/" + std::string(64, 'a'),
                                  std::string("/ping//start"),
                                  std::string("/ping//")}) {
    const Reading r = ReadAs({path});
    ASSERT_EQ(r.adapter, &HealthchecksAdapter()) << path;
    EXPECT_EQ(r.status, absl::InvalidArgumentError("invalid url format")) << path;
  }
  EXPECT_TRUE(ReadAs({key + "/" + std::string(63, 'a')}).status.ok());
}

TEST(HealthchecksTest, AnotherFormOfAUuidIsAnotherToken) {
  // They would answer 404, and so will core.
  for (const char* path : {"/ping/07c2f54898504b27af5d6c9dc157ec02/", "/ping/not-uuid/"}) {
    const Reading r = ReadAs({path});
    EXPECT_TRUE(r.status.ok()) << path;
    EXPECT_NE(r.to.secret, kUuid) << path;
  }
}

TEST(HealthchecksTest, ARunIdIsAUuidInAnyCase) {
  const std::string base = std::string("/ping/") + kUuid + "/start";
  EXPECT_EQ(ReadAs({base + "?rid=13EFDD00-5c8d-4a31-9c3f-2f0f7a5b8f61"}).p.run_id,
            "13efdd00-5c8d-4a31-9c3f-2f0f7a5b8f61");
  EXPECT_EQ(ReadAs({base}).p.run_id, "");
  for (const char* rid :
       {"", "1", "13efdd005c8d4a319c3f2f0f7a5b8f61", "not-a-uuid",
        "13efdd00-5c8d-4a31-9c3f-2f0f7a5b8f6g", "{13efdd00-5c8d-4a31-9c3f-2f0f7a5b8f61}", "%00"}) {
    EXPECT_EQ(ReadAs({base + "?rid=" + rid}).status,
              absl::InvalidArgumentError("invalid uuid format"))
        << rid;
  }
}

TEST(HealthchecksTest, OnlyASlugCanBeCreated) {
  const std::string slug = std::string("/ping/") + kKey + "/backup";
  EXPECT_TRUE(ReadAs({slug + "?create=1"}).p.create);
  EXPECT_TRUE(ReadAs({slug + "/start?a=b&create=1"}).p.create);
  EXPECT_FALSE(ReadAs({slug + "?create=0"}).p.create);
  EXPECT_FALSE(ReadAs({slug + "?create=true"}).p.create);
  EXPECT_FALSE(ReadAs({slug}).p.create);
  EXPECT_FALSE(ReadAs({std::string("/ping/") + kUuid + "?create=1"}).p.create);
}

TEST(HealthchecksTest, TheBeginningOfABodyIsKeptAsItIsWhateverItsType) {
  const std::string base = std::string("/ping/") + kUuid;
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "application/json",
                           "application/octet-stream"}) {
    const Reading r = ReadAs({base, {{"Content-Type", type}}, "status=down&msg=x"});
    EXPECT_EQ(r.p.output, "status=down&msg=x") << type;
    EXPECT_EQ(r.p.kind, PushKind::kUp) << type;
    EXPECT_EQ(r.p.message, "") << type;
  }
  const std::string bytes("\xF8\x00\xFF not unicode", 15);
  EXPECT_EQ(ReadAs({base, {}, bytes}).p.output, bytes);
  const std::string first = "begin" + std::string(9'995, 'a');
  EXPECT_EQ(ReadAs({base, {}, first + "end"}).p.output, first);
  EXPECT_EQ(ReadAs({base, {}, first}).p.output, first);
}

TEST(HealthchecksTest, AnswersInOneWord) {
  struct Case {
    PushVerdict verdict;
    int status;
    std::string body;
  };
  for (const Case& c :
       {Case{PushVerdict::kRecorded, 200, "OK"}, Case{PushVerdict::kPaused, 200, "OK"},
        Case{PushVerdict::kCreated, 201, "Created"}, Case{PushVerdict::kUnknown, 404, "not found"},
        Case{PushVerdict::kBadRequest, 400, "what is wrong"},
        Case{PushVerdict::kMayNotCreate, 403, "what is wrong"},
        Case{PushVerdict::kWrongMethod, 405, "what is wrong"},
        Case{PushVerdict::kTooOften, 429, "what is wrong"},
        Case{PushVerdict::kTryLater, 503, "what is wrong"}}) {
    const http::Response response = AnswerOf(HealthchecksAdapter(), c.verdict);
    EXPECT_EQ(response.status, c.status);
    EXPECT_EQ(response.body, c.body);
    EXPECT_THAT(response.content_type, HasSubstr("text/plain"));
    EXPECT_EQ(HeaderOf(response, "Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(HeaderOf(response, "Ping-Body-Limit"), "10000");
    EXPECT_THAT(HeaderOf(response, "Cache-Control"), HasSubstr("no-cache"));
    EXPECT_EQ(HeaderOf(response, "Retry-After"), c.status == 429 || c.status == 503 ? "2" : "");
  }
}

TEST(HealthchecksTest, TakesThreeMethodsAndAPreflight) {
  const Adapter& adapter = HealthchecksAdapter();
  for (const char* method : {"HEAD", "GET", "POST"}) EXPECT_TRUE(adapter.Takes(method)) << method;
  for (const char* method : {"PUT", "OPTIONS", "DELETE", "get", "", "GE", "HEAD, GET"}) {
    EXPECT_FALSE(adapter.Takes(method)) << method;
  }
  const http::Response preflight = adapter.Preflight();
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(HeaderOf(preflight, "Access-Control-Allow-Origin"), "*");
  EXPECT_THAT(HeaderOf(preflight, "Access-Control-Allow-Methods"), HasSubstr("POST"));
}

}  // namespace
}  // namespace tocsin::gateway
