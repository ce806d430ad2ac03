// What the gateway does with pushes in our own form.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gateway/testing/gateway_fixture.h"

namespace tocsin::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kRecorded[] = R"({"ok":true,"message":"Push received successfully","msg":"OK"})"
                             "\n";

TEST_F(GatewayTest, ShowsItsKeyToCore) {
  FakeCore core;
  core.Allow("token");
  core.RequireKey("tk_right");
  options_.core_key = "tk_right";
  Start({&core});
  EXPECT_EQ(Push("/api/push/token").status, 200);
}

TEST_F(GatewayTest, AKeyThatCoreRefusesIsToldAndCostsNoPushMoreThanTime) {
  FakeCore core;
  core.Allow("token");
  core.RequireKey("tk_right");
  options_.core_key = "tk_wrong";
  options_.dispatcher.push_timeout = absl::Seconds(1);
  options_.core_addresses.push_back({.host = "127.0.0.1", .port = core.port()});
  StartWithAddresses();
  EXPECT_TRUE(Eventually([&] {
    return Admin("/readyz").body.find("core refuses this gateway's key") != std::string::npos;
  }));
  const HttpResponse response = Push("/api/push/token");
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(response.Header("Retry-After"), "");
  // It looked connected for a moment at most; now it does not, until core accepts.
  EXPECT_NE(Admin("/readyz").status, 200);
  core.RequireKey("tk_wrong");
  AwaitReady(true);
  EXPECT_EQ(Push("/api/push/token").status, 200);
}

TEST_F(GatewayTest, RecordsAPushAndSaysSo) {
  FakeCore core;
  core.Allow("Token_1-x");
  Start({&core});
  const HttpResponse response =
      Push("/api/push/Token_1-x?status=down&msg=disk+full&value=99.5&run=r1");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, kRecorded);
  EXPECT_EQ(response.Header("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(response.Header("Cache-Control"), "no-store");
  EXPECT_EQ(response.Header("Content-Type"), "application/json");
  const auto pushes = core.pushes();
  ASSERT_EQ(pushes.size(), 1u);
  EXPECT_EQ(pushes[0].token_hash(), Sha256Bytes("Token_1-x"));
  EXPECT_EQ(pushes[0].kind(), v1::Heartbeat::KIND_DOWN);
  EXPECT_EQ(pushes[0].message(), "disk full");
  EXPECT_EQ(pushes[0].value(), 99.5);
  EXPECT_EQ(pushes[0].run_id(), "r1");
  EXPECT_NE(pushes[0].push_id(), 0u);
  EXPECT_FALSE(pushes[0].retried());
  EXPECT_EQ(core.gateways(), std::vector<std::string>{"gateway-under-test"});
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_pushes_total{outcome=\"recorded\"} 1"));
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_push_duration_seconds_count 1"));
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_core_streams 1"));
}

TEST_F(GatewayTest, TakesEveryMethodFormAndPlaceOfTheToken) {
  FakeCore core;
  core.Allow("t");
  Start({&core});
  for (const char* method : {"GET", "POST", "PUT", "PATCH"}) {
    EXPECT_EQ(Push("/api/push/t", method).body, kRecorded) << method;
  }
  const HttpResponse head = Push("/api/push/t", "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.Header("Content-Length"), std::to_string(sizeof(kRecorded) - 1));
  EXPECT_EQ(Push("/API/Push/t/").status, 200);
  EXPECT_EQ(Push("/api/push/%74").status, 200);
  EXPECT_EQ(Push("/api/push", "POST", "Authorization: bearer t\r\n").status, 200);
  EXPECT_EQ(Push("/api/push/", "GET", "Authorization: Bearer  t\r\n").status, 200);
  EXPECT_EQ(Push("http://any.example/api/push/t").status, 200);
  EXPECT_EQ(Push("/api/push/t", "POST", "Content-Type: application/json\r\n",
                 R"({"status":"down","msg":"json"})")
                .status,
            200);
  EXPECT_EQ(Push("/api/push/t", "POST", "Content-Type: application/x-www-form-urlencoded\r\n",
                 "status=down&msg=form")
                .status,
            200);
  const auto pushes = core.pushes();
  ASSERT_EQ(pushes.size(), 12u);
  EXPECT_EQ(pushes[10].message(), "json");
  EXPECT_EQ(pushes[11].message(), "form");
}

TEST_F(GatewayTest, APushKeyReachesTheMonitorThatThePathNames) {
  FakeCore core;
  core.AllowKey("tk_Fleet", "backup");
  core.AllowKey("tk_Fleet", "new", internal::v1::PUSH_OUTCOME_CREATED);
  core.AllowKey("tk_Fleet", "full", internal::v1::PUSH_OUTCOME_MAY_NOT_CREATE);
  Start({&core});
  EXPECT_EQ(Push("/api/push/tk_Fleet/backup").body, kRecorded);
  EXPECT_EQ(Push("/api/push/tk_Fleet/backup/17?msg=full").body, kRecorded);
  EXPECT_EQ(Push("/api/push/tk_Fleet/backup/start?run=a").body, kRecorded);
  EXPECT_EQ(Push("/api/push/tk_Fleet/other").status, 404);
  const HttpResponse lone = Push("/api/push/tk_Fleet");
  EXPECT_EQ(lone.status, 404);
  EXPECT_THAT(lone.body, HasSubstr("/api/push/<push key>/<monitor>"));
  const HttpResponse created = Push("/api/push/tk_Fleet/new?create=1");
  EXPECT_EQ(created.status, 201);
  EXPECT_THAT(created.body, HasSubstr(R"("ok":true)"));
  const HttpResponse refused = Push("/api/push/tk_Fleet/full?create=1");
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("may not create"));
  const auto pushes = core.pushes();
  ASSERT_EQ(pushes.size(), 7u);
  EXPECT_EQ(pushes[0].token_hash(), Sha256Bytes("tk_Fleet"));
  EXPECT_EQ(pushes[0].monitor_id(), "backup");
  EXPECT_FALSE(pushes[0].has_exit_status());
  EXPECT_FALSE(pushes[0].create());
  EXPECT_EQ(pushes[1].kind(), v1::Heartbeat::KIND_DOWN);
  EXPECT_EQ(pushes[1].exit_status(), 17);
  EXPECT_EQ(pushes[1].message(), "full");
  EXPECT_EQ(pushes[2].kind(), v1::Heartbeat::KIND_START);
  EXPECT_EQ(pushes[2].run_id(), "a");
  EXPECT_TRUE(pushes[5].create());
}

TEST_F(GatewayTest, ARequestIdThatIsNoTextHarmsNobody) {
  FakeCore core;
  core.AllowKey("tk_Fleet", "job");
  Start({&core});
  for (const std::string& id : {std::string("\xff"), std::string(63, 'a') + "\xc3\xa4",
                                std::string("a b"), std::string("fit-1")}) {
    EXPECT_EQ(
        Push("/api/push/tk_Fleet/job?create=1", "POST", "X-Request-Id: " + id + "\r\n").status, 200)
        << id;
  }
  const auto pushes = core.pushes();
  ASSERT_EQ(pushes.size(), 4u) << "each came once, over a stream that held";
  EXPECT_EQ(pushes[0].request_id(), "");
  EXPECT_EQ(pushes[1].request_id(), "");
  EXPECT_EQ(pushes[2].request_id(), "");
  EXPECT_EQ(pushes[3].request_id(), "fit-1");
}

TEST_F(GatewayTest, SaysWhatIsWrongWithThePathBehindAPushKey) {
  FakeCore core;
  Start({&core});
  for (const char* id : {"Back%20up", "-x", "a_b", "%00", "%ff", "Backup",
                         "a123456789012345678901234567890123456789012345678901234567890123"}) {
    const HttpResponse response = Push(std::string("/api/push/tk_Fleet/") + id);
    EXPECT_EQ(response.status, 400) << id;
    EXPECT_THAT(response.body, HasSubstr("monitor's id in the path")) << id;
  }
  EXPECT_THAT(Push("/api/push/tk_Fleet/backup/256").body, HasSubstr("0 to 255"));
  EXPECT_EQ(Push("/api/push/tk_Fleet/backup/1/2").status, 404);
  EXPECT_TRUE(core.pushes().empty());
}

TEST_F(GatewayTest, LimitsEachMonitorOfAPushKeyOnItsOwn) {
  FakeCore core;
  core.AllowKey("tk_Fleet", "busy");
  core.AllowKey("tk_Fleet", "calm");
  options_.token_limit = {.per_second = 0.001, .burst = 2};
  Start({&core});
  // The first is the one that makes the monitor known.
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Push("/api/push/tk_Fleet/busy").status, 200);
  EXPECT_EQ(Push("/api/push/tk_Fleet/busy").status, 429);
  EXPECT_EQ(Push("/api/push/tk_Fleet/calm").status, 200);
  // A failure and an exit status have a budget of their own.
  EXPECT_EQ(Push("/api/push/tk_Fleet/busy/fail").status, 200);
  EXPECT_EQ(Push("/api/push/tk_Fleet/busy/0").status, 200);
}

TEST_F(GatewayTest, WarnsOfWhatItIgnored) {
  FakeCore core;
  core.Allow("t");
  Start({&core});
  const HttpResponse response = Push("/api/push/t?value=12ms");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, StartsWith(R"({"ok":true,"message":"Push received successfully",)"
                                        R"("msg":"OK","warning":"value must be)"));
}

TEST_F(GatewayTest, AnswersWhatCoreSays) {
  FakeCore core;
  core.Allow("paused", internal::v1::PUSH_OUTCOME_RECORDED_PAUSED);
  core.Allow("poison", internal::v1::PUSH_OUTCOME_INVALID);
  Start({&core});
  const HttpResponse paused = Push("/api/push/paused");
  EXPECT_EQ(paused.status, 200);
  EXPECT_THAT(paused.body, HasSubstr("paused"));
  const HttpResponse unknown = Push("/api/push/nobody", "POST", "X-Request-Id: my-id.7\r\n");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.body, R"({"ok":false,"error":"Error: Monitor not found or not active",)"
                          R"("msg":"Monitor not found or not active."})"
                          "\n");
  EXPECT_EQ(unknown.Header("X-Request-Id"), "my-id.7");
  EXPECT_EQ(Push("/api/push/poison").status, 400);
}

TEST_F(GatewayTest, RefusesWhatIsNoPush) {
  FakeCore core;
  core.AllowAll();
  Start({&core});
  const HttpResponse bad = Push("/api/push/t?status=dwon", "POST", "X-Request-Id: bad id\r\n");
  EXPECT_EQ(bad.status, 400);
  EXPECT_THAT(bad.body, StartsWith(R"({"ok":false,"error":"status must be one of up, ok,)"));
  EXPECT_EQ(bad.Header("X-Request-Id").size(), 16u) << "one that is unfit is not repeated";
  EXPECT_EQ(bad.Header("Access-Control-Allow-Origin"), "*");

  const HttpResponse preflight = Push("/api/push/t", "OPTIONS", "Origin: https://x\r\n");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.Header("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(preflight.Header("Content-Length"), "");

  const HttpResponse method = Push("/api/push/t", "DELETE");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.Header("Allow"), "GET, HEAD, POST, PUT, PATCH, OPTIONS");
  EXPECT_THAT(method.body, HasSubstr("Push with one of GET, HEAD, POST, PUT, PATCH."));

  EXPECT_EQ(Push("/api/push").status, 401);
  EXPECT_EQ(Push("/api/push", "POST", "Authorization: Basic dDp0\r\n").status, 401);

  const HttpResponse lost = Push("/api/pull/t");
  EXPECT_EQ(lost.status, 404);
  EXPECT_THAT(lost.body, Not(HasSubstr("Monitor not found")));
  EXPECT_THAT(lost.body, StartsWith(R"({"ok":false,"error":)"));

  EXPECT_EQ(Push("/api/push/t?" + std::string(20'000, 'a')).status, 431);
  const HttpResponse large = Push("/api/push/t", "POST", "", std::string(70'000, 'a'));
  EXPECT_EQ(large.status, 413);
  EXPECT_THAT(large.body, StartsWith(R"({"ok":false,"error":)"));
  EXPECT_EQ(Fetch(gateway_->port(), "BROKEN\r\n").status, 400);
  EXPECT_TRUE(core.pushes().empty());
}

TEST_F(GatewayTest, LimitsATokenButNotItsFailures) {
  options_.token_limit = {.per_second = 0.001, .burst = 3};
  FakeCore core;
  core.Allow("t");
  Start({&core});
  // The first one is what makes the token known.
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Push("/api/push/t").status, 200) << i;
  const HttpResponse limited = Push("/api/push/t");
  EXPECT_EQ(limited.status, 429);
  EXPECT_GE(std::stoi(limited.Header("Retry-After")), 1);
  EXPECT_EQ(Push("/api/push/t?status=down").status, 200);
  EXPECT_EQ(Push("/api/push/t?status=start").status, 200);
}

TEST_F(GatewayTest, LimitsGuessesWithoutTouchingValidTokens) {
  options_.unknown_token_limit = {.per_second = 0.001, .burst = 2};
  options_.trusted_proxies = *http::IpNetwork::ParseList("127.0.0.1");
  FakeCore core;
  core.Allow("valid");
  Start({&core});
  const std::string from = "X-Forwarded-For: 192.0.2.1\r\n";
  EXPECT_EQ(Push("/api/push/guess1", "GET", from).status, 404);
  EXPECT_EQ(Push("/api/push/guess2", "GET", from).status, 404);
  const HttpResponse limited = Push("/api/push/guess3", "GET", from);
  EXPECT_EQ(limited.status, 429);
  EXPECT_NE(limited.Header("Retry-After"), "");
  EXPECT_EQ(Push("/api/push/valid", "GET", from).status, 200) << "never seen before, same address";
  EXPECT_EQ(Push("/api/push/guess4", "GET", "X-Forwarded-For: 192.0.2.2\r\n").status, 404);
}

TEST_F(GatewayTest, WithoutACoreAPushWaitsABoundedTimeAndCanBeTriedAgain) {
  options_.dispatcher.push_timeout = absl::Milliseconds(300);
  options_.core_addresses.push_back({.host = "127.0.0.1", .port = 1});
  StartWithAddresses();
  EXPECT_EQ(Admin("/readyz").status, 503);
  EXPECT_EQ(Admin("/healthz").status, 200);
  const absl::Duration begin = monotonic_.Now();
  const HttpResponse response = Push("/api/push/t");
  EXPECT_GE(monotonic_.Now() - begin, absl::Milliseconds(300));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.Header("Retry-After"), "1");
  EXPECT_THAT(response.body, StartsWith(R"({"ok":false,"error":)"));
  EXPECT_NE(response.Header("X-Request-Id"), "");
}

TEST_F(GatewayTest, ACoreThatCannotRecordGetsThePushAgainUntilItCan) {
  FakeCore core;
  core.Allow("t");
  core.SetMode(FakeCore::Mode::kUnavailable);
  Start({&core});
  HttpClient client(gateway_->port());
  client.Send("POST /api/push/t HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(core.AwaitPushes(3));
  core.SetMode(FakeCore::Mode::kAnswer);
  EXPECT_EQ(client.Receive().body, kRecorded);
  const auto pushes = core.pushes();
  EXPECT_FALSE(pushes[0].retried());
  for (size_t i = 1; i < pushes.size(); ++i) {
    EXPECT_TRUE(pushes[i].retried());
    EXPECT_EQ(pushes[i].push_id(), pushes[0].push_id());
    EXPECT_GE(pushes[i].age_micros(), pushes[i - 1].age_micros());
  }
}

TEST_F(GatewayTest, AReplicaThatHangsDoesNotLoseThePush) {
  options_.dispatcher.attempt_timeout = absl::Milliseconds(100);
  FakeCore hanging, healthy;
  hanging.AllowAll();
  healthy.AllowAll();
  Start({&hanging, &healthy});
  hanging.SetMode(FakeCore::Mode::kHang);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Push("/api/push/t").body, kRecorded) << i;
  EXPECT_EQ(hanging.pushes().size(), 1u) << "one was enough to learn it";
  EXPECT_EQ(healthy.pushes().size(), 4u);
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_push_retries_total 1"));
}

TEST_F(GatewayTest, ABrokenStreamLosesNothingAndIsReplaced) {
  FakeCore core;
  core.AllowAll();
  Start({&core});
  core.SetMode(FakeCore::Mode::kHang);
  HttpClient client(gateway_->port());
  client.Send("POST /api/push/t HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(core.AwaitPushes(1));
  core.BreakStreams();
  EXPECT_TRUE(core.AwaitPushes(2)) << "sent again on a new stream";
  core.SetMode(FakeCore::Mode::kAnswer);
  EXPECT_EQ(client.Receive().body, kRecorded);
  const auto pushes = core.pushes();
  EXPECT_TRUE(pushes[1].retried());
  EXPECT_EQ(pushes[1].push_id(), pushes[0].push_id());
}

TEST_F(GatewayTest, ACoreThatIsRestartedIsFoundAgain) {
  auto core = std::make_unique<FakeCore>();
  core->AllowAll();
  Start({core.get()});
  const int port = core->port();
  core.reset();
  AwaitReady(false);
  HttpClient client(gateway_->port());
  client.Send("POST /api/push/t HTTP/1.1\r\nHost: x\r\n\r\n");
  FakeCore again(port);
  again.AllowAll();
  EXPECT_EQ(client.Receive().body, kRecorded) << "the push waited for it";
  AwaitReady(true);
}

// Many clients push while cores drain one after the other.
TEST_F(GatewayTest, DrainingCoresLoseNothingUnderLoad) {
  options_.token_limit.per_second = 0;
  FakeCore a, b;
  a.AllowAll();
  b.AllowAll();
  Start({&a, &b});
  constexpr int kClients = 8;
  absl::Notification stop;
  std::vector<int> failures(kClients), successes(kClients);
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      HttpClient client(gateway_->port());
      while (!stop.HasBeenNotified()) {
        client.Send("POST /api/push/t HTTP/1.1\r\nHost: x\r\n\r\n");
        ++(client.Receive().body == kRecorded ? successes : failures)[static_cast<size_t>(i)];
      }
    });
  }
  for (int round = 0; round < 6; ++round) {
    FakeCore& draining = round % 2 == 0 ? a : b;
    const size_t before = draining.pushes().size();
    EXPECT_TRUE(draining.AwaitPushes(before + 100));
    draining.EndStreams();
  }
  stop.Notify();
  for (std::thread& client : clients) client.join();
  for (int i = 0; i < kClients; ++i) {
    EXPECT_EQ(failures[static_cast<size_t>(i)], 0);
    EXPECT_GT(successes[static_cast<size_t>(i)], 0);
  }
}

TEST_F(GatewayTest, DrainsItselfWithoutLosingAPush) {
  FakeCore core;
  core.AllowAll();
  Start({&core});
  core.SetMode(FakeCore::Mode::kHang);
  HttpClient busy(gateway_->port());
  busy.Send("POST /api/push/t HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(core.AwaitPushes(1));
  bool complete = false;
  std::thread drain([&] { complete = gateway_->Drain(absl::ZeroDuration(), absl::Seconds(20)); });
  AwaitReady(false);
  core.SetMode(FakeCore::Mode::kAnswer);
  const HttpResponse response = busy.Receive();
  EXPECT_EQ(response.body, kRecorded);
  EXPECT_EQ(response.Header("Connection"), "close");
  busy.Close();
  drain.join();
  EXPECT_TRUE(complete);
}

TEST_F(GatewayTest, ServesOnSeveralThreads) {
  options_.http.threads = 2;
  FakeCore core;
  core.AllowAll();
  options_.core_addresses.push_back({.host = "127.0.0.1", .port = core.port()});
  StartWithAddresses();
  AwaitReady(true);
  EXPECT_TRUE(Eventually([&] { return core.streams() == 2; }));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Push("/api/push/t").status, 200);
}

TEST_F(GatewayTest, ABusyPortIsSaidClearly) {
  FakeCore core;
  Start({&core});
  Options options = options_;
  options.http.port = gateway_->port();
  const auto second = Gateway::Start(options, clock_, monotonic_);
  EXPECT_THAT(second.status().ToString(), HasSubstr("in use"));
}

}  // namespace
}  // namespace tocsin::gateway
