// Pushes in the forms of other monitors, through the whole gateway.
#include "gateway/rest/request_mapping.h"
#include "gateway/rest/route_table.h"
#include "gateway/testing/gateway_fixture.h"

namespace tocsin::gateway {
namespace {

using ::testing::HasSubstr;

constexpr char kUuid[] = "07c2f548-9850-4b27-af5d-6c9dc157ec02";
constexpr char kKey[] = "fqOOd6-F4MMNuCEnzTU01w";

class PeersTest : public GatewayTest {
 protected:
  HttpResponse Opsgenie(const std::string& name, const std::string& method = "POST") {
    return Push("/v2/heartbeats/" + name + "/ping", method, "Authorization: GenieKey tk_a\r\n");
  }
  HttpResponse Gatus(const std::string& query) {
    return Push("/api/v1/endpoints/core_job/external" + query, "POST",
                "Authorization: Bearer tk_a\r\n");
  }
};

TEST_F(PeersTest, EachFormBecomesAHeartbeatAndIsAnsweredInItsWords) {
  FakeCore core;
  core.Allow(kUuid);
  core.AllowKey(kKey, "new-job", internal::v1::PUSH_OUTCOME_CREATED);
  core.AllowKey("tk_a", "job");
  core.AllowKey("tk_a", "core-job");
  Start({&core});
  const HttpResponse ping =
      Push(std::string("/ping/") + kUuid + "/3?rid=13EFDD00-5c8d-4a31-9c3f-2f0f7a5b8f61", "POST",
           "Content-Type: application/x-www-form-urlencoded\r\n", "out\xFFput");
  EXPECT_EQ(ping.status, 200);
  EXPECT_EQ(ping.body, "OK");
  EXPECT_EQ(ping.Header("Ping-Body-Limit"), "10000");
  EXPECT_EQ(ping.Header("Access-Control-Allow-Origin"), "*");
  EXPECT_THAT(ping.Header("Cache-Control"), HasSubstr("no-cache"));
  const HttpResponse created = Push(std::string("/ping/") + kKey + "/new_job?create=1", "HEAD");
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(created.body, "");
  EXPECT_EQ(created.Header("Content-Length"), "7");
  EXPECT_EQ(Push("/ping/tk_a/job?state=run&stamp=1.5&series=s1", "GET").body, "OK");
  EXPECT_EQ(Push("/p/tk_a/job/fail?message=no+space", "GET").body, "OK");
  const HttpResponse pong = Opsgenie("job");
  EXPECT_EQ(pong.status, 202);
  EXPECT_THAT(pong.body, HasSubstr(R"({"result":"PONG - Heartbeat received","took":0.)"));
  const HttpResponse gatus = Gatus("?success=false&error=broken&duration=10s");
  EXPECT_EQ(gatus.status, 200);
  EXPECT_EQ(gatus.body, "");
  EXPECT_EQ(gatus.Header("Content-Length"), "0");
  const HttpResponse sentry = Push("/api/17/cron/job/tk_a/?status=in_progress", "GET");
  EXPECT_EQ(sentry.status, 202);
  EXPECT_EQ(sentry.body, "");

  const auto pushes = core.pushes();
  ASSERT_EQ(pushes.size(), 7u);
  EXPECT_EQ(pushes[0].token_hash(), Sha256Bytes(kUuid));
  EXPECT_EQ(pushes[0].monitor_id(), "");
  EXPECT_EQ(pushes[0].kind(), v1::Heartbeat::KIND_DOWN);
  EXPECT_EQ(pushes[0].exit_status(), 3);
  EXPECT_EQ(pushes[0].run_id(), "13efdd00-5c8d-4a31-9c3f-2f0f7a5b8f61");
  EXPECT_EQ(pushes[0].output(), "out\xFFput");
  EXPECT_EQ(pushes[1].token_hash(), Sha256Bytes(kKey));
  EXPECT_EQ(pushes[1].monitor_id(), "new-job");
  EXPECT_TRUE(pushes[1].create());
  EXPECT_EQ(pushes[2].kind(), v1::Heartbeat::KIND_START);
  EXPECT_EQ(pushes[2].run_id(), "s1");
  EXPECT_EQ(pushes[3].kind(), v1::Heartbeat::KIND_DOWN);
  EXPECT_EQ(pushes[3].message(), "no space");
  EXPECT_EQ(pushes[4].kind(), v1::Heartbeat::KIND_UP);
  EXPECT_EQ(pushes[5].monitor_id(), "core-job");
  EXPECT_EQ(pushes[5].message(), "broken");
  EXPECT_EQ(pushes[5].value(), 10);
  EXPECT_EQ(pushes[6].kind(), v1::Heartbeat::KIND_START);
  for (const auto& push : pushes) EXPECT_NE(push.push_id(), 0u);
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_pushes_total{outcome=\"recorded\"} 6"));
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_pushes_total{outcome=\"created\"} 1"));
}

TEST_F(PeersTest, ErrorsAreInTheirWordsTooAndNoHeartbeats) {
  FakeCore core;
  core.AllowKey("tk_a", "job");
  Start({&core});
  const std::string ping = std::string("/ping/") + kUuid;
  EXPECT_EQ(Push(ping + "/256").body, "invalid url format");
  EXPECT_EQ(Push(ping + "?rid=1").body, "invalid uuid format");
  EXPECT_EQ(Push(ping + "?rid=1").status, 400);
  EXPECT_EQ(Push(ping, "PUT").status, 405);
  EXPECT_EQ(Push(ping, "OPTIONS").status, 204);
  EXPECT_EQ(Push("/p/tk_a/job/fail", "OPTIONS").status, 204);
  EXPECT_EQ(Opsgenie("job", "OPTIONS").status, 204);
  EXPECT_EQ(Push("/p/tk_a/job?state=x").status, 400);
  EXPECT_EQ(Push("/v2/heartbeats/job/ping").status, 401);
  EXPECT_EQ(Gatus("").body, "missing or invalid success query parameter");
  EXPECT_EQ(Push("/api/v1/endpoints/a_b/external?success=true").status, 401);
  EXPECT_EQ(Push("/api/17/cron/job/tk_a/?status=x").body,
            R"({"detail":"status must be in_progress, ok or error"})");
  EXPECT_TRUE(core.pushes().empty());
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_pushes_total{outcome=\"bad_request\"} 9"));

  const HttpResponse unknown = Push(ping, "GET", "X-Request-Id: my-id.7\r\n");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.body, "not found");
  EXPECT_EQ(unknown.Header("X-Request-Id"), "my-id.7");
  EXPECT_EQ(Opsgenie("other").status, 404);
  EXPECT_EQ(Gatus("?success=true").body, "not found");
}

TEST_F(PeersTest, LimitsAreThoseOfTheMonitorWhateverTheForm) {
  FakeCore core;
  core.AllowKey("tk_a", "job");
  options_.token_limit = {.per_second = 0.001, .burst = 2};
  options_.unknown_token_limit = {.per_second = 0.001, .burst = 2};
  Start({&core});
  EXPECT_EQ(Opsgenie("job").status, 202);
  EXPECT_EQ(Push("/ping/tk_a/job").status, 200);
  EXPECT_EQ(Push("/api/push/tk_a/job").status, 200);
  const HttpResponse ping = Push("/ping/tk_a/job");
  EXPECT_EQ(ping.status, 429);
  EXPECT_NE(ping.Header("Retry-After"), "");
  EXPECT_EQ(Opsgenie("job").status, 429);
  EXPECT_EQ(Push("/ping/tk_a/job/fail").status, 200) << "a failure has its own budget";
  EXPECT_EQ(Push("/ping/guess1").status, 404);
  EXPECT_EQ(Push("/p/guess2/m").status, 404);
  const HttpResponse guess = Push("/ping/guess3");
  EXPECT_EQ(guess.status, 429);
  EXPECT_NE(guess.Header("Retry-After"), "");
  EXPECT_EQ(guess.Header("Connection"), "close");
}

TEST_F(PeersTest, WithoutACoreEveryFormMayTryAgain) {
  options_.dispatcher.push_timeout = absl::Milliseconds(200);
  options_.core_addresses.push_back({.host = "127.0.0.1", .port = 1});
  StartWithAddresses();
  for (const HttpResponse& response :
       {Push("/ping/t"), Push("/p/tk_a/job"), Opsgenie("job"), Gatus("?success=true"),
        Push("/api/17/cron/job/tk_a/?status=ok")}) {
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.Header("Retry-After"), "1");
  }
}

TEST_F(PeersTest, TheRestApiKeepsItsPaths) {
  FakeCore core;
  core.AllowAll();
  Start({&core});
  // No method of ours begins as Gatus' path does.
  const auto table = RouteTable::Make(PublicServices());
  ASSERT_TRUE(table.ok());
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    EXPECT_EQ(table->Find(method, RequestPath::Split("/v1/endpoints/a_b/external")), nullptr);
  }
  EXPECT_EQ(Push("/api/v1/endpoints/a_b/statuses", "GET").status, 404);
  EXPECT_EQ(Push("/v2/heartbeats/job", "GET").status, 404);
  EXPECT_EQ(Push("/ping", "GET").status, 404);
  EXPECT_EQ(Push("/docs", "GET").status, 200);
  EXPECT_TRUE(core.pushes().empty());
}

}  // namespace
}  // namespace tocsin::gateway
