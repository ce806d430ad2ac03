// REST through a whole gateway, in front of cores that speak real gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "common/grpc_status.h"
#include "common/status_details.h"
#include "gateway/gateway.h"
#include "gateway/testing/fake_core.h"
#include "gateway/testing/http_client.h"
#include "tocsin/v1/alert_service.grpc.pb.h"
#include "tocsin/v1/monitor_service.grpc.pb.h"
#include "tocsin/v1/push_service.grpc.pb.h"

namespace tocsin::gateway {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using tocsin::testing::FakeCore;
using tocsin::testing::Fetch;
using tocsin::testing::HttpClient;
using tocsin::testing::HttpResponse;

constexpr char kMonitors[] = "/api/v1/projects/p/monitors";
constexpr char kWatch[] = "/api/v1/projects/p/alertEvents:watch";

// Answers with what the test has set, and remembers what it was asked.
class Monitors : public v1::MonitorService::CallbackService {
 public:
  grpc::ServerUnaryReactor* ListMonitors(grpc::CallbackServerContext* context,
                                         const v1::ListMonitorsRequest* request,
                                         v1::ListMonitorsResponse* response) override {
    for (int i = 0; i < request->page_size(); ++i) response->add_monitors()->set_name("m");
    return Answer(context);
  }
  grpc::ServerUnaryReactor* CreateMonitor(grpc::CallbackServerContext* context,
                                          const v1::CreateMonitorRequest* request,
                                          v1::CreateMonitorResponse* response) override {
    *response->mutable_monitor() = request->monitor();
    return Answer(context);
  }

  void Set(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    status_ = status;
  }
  // Calls are not answered any more.
  void Hang() {
    absl::MutexLock lock(&mutex_);
    hangs_ = true;
  }
  int calls() {
    absl::MutexLock lock(&mutex_);
    return calls_;
  }
  bool AwaitCalls(int n) {
    absl::MutexLock lock(&mutex_);
    const auto there = [this, n]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return calls_ >= n; };
    return mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20));
  }
  std::string Metadata(const std::string& name) {
    absl::MutexLock lock(&mutex_);
    return metadata_[name];
  }

 private:
  // A call that is never answered, until its client gives up.
  class Hanging : public grpc::ServerUnaryReactor {
   public:
    void OnCancel() override { Finish(grpc::Status::CANCELLED); }
    void OnDone() override { delete this; }
  };

  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context) {
    absl::MutexLock lock(&mutex_);
    ++calls_;
    for (const auto& [name, value] : context->client_metadata()) {
      metadata_[std::string(name.data(), name.size())] = std::string(value.data(), value.size());
    }
    if (hangs_) return new Hanging();
    auto* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(status_));
    return reactor;
  }

  absl::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  bool hangs_ ABSL_GUARDED_BY(mutex_) = false;
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::string> metadata_ ABSL_GUARDED_BY(mutex_);
};

// Takes pushes, or does not.
class Pushes : public v1::PushService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Push(grpc::CallbackServerContext* context,
                                 const v1::PushRequest* request, v1::PushResponse*) override {
    absl::MutexLock lock(&mutex_);
    ids_.push_back(request->push_id());
    auto* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(status_));
    return reactor;
  }
  void Set(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    status_ = status;
  }
  std::vector<uint64_t> ids() {
    absl::MutexLock lock(&mutex_);
    return ids_;
  }

 private:
  absl::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> ids_ ABSL_GUARDED_BY(mutex_);
};

// One stream at a time, written by the test.
class Alerts : public v1::AlertService::CallbackService {
 public:
  class Watch : public grpc::ServerWriteReactor<v1::WatchAlertsResponse> {
   public:
    explicit Watch(Alerts& alerts) : alerts_(alerts) {}
    void OnWriteDone(bool /*ok*/) override {
      absl::MutexLock lock(&alerts_.mutex_);
      alerts_.writing_ = false;
    }
    void OnCancel() override {
      {
        absl::MutexLock lock(&alerts_.mutex_);
        ++alerts_.cancelled_;
        alerts_.watch_ = nullptr;
      }
      Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

   private:
    Alerts& alerts_;
  };

  grpc::ServerWriteReactor<v1::WatchAlertsResponse>* WatchAlerts(
      grpc::CallbackServerContext* /*context*/, const v1::WatchAlertsRequest* request) override {
    absl::MutexLock lock(&mutex_);
    cursor_ = request->cursor();
    watch_ = new Watch(*this);
    writing_ = false;
    return watch_;
  }
  // Writes one message. The client may have it before gRPC says that it is written.
  void Write(const std::string& cursor, const std::string& event) {
    Watch* const watch = Await();
    {
      absl::MutexLock lock(&mutex_);
      writing_ = true;
    }
    message_.Clear();
    message_.set_cursor(cursor);
    if (!event.empty()) message_.mutable_event()->set_name(event);
    watch->StartWrite(&message_);
  }
  void End(const absl::Status& status) {
    Watch* const watch = Await();
    {
      absl::MutexLock lock(&mutex_);
      watch_ = nullptr;
    }
    watch->Finish(ToGrpcStatus(status));
  }
  bool AwaitCancelled() {
    absl::MutexLock lock(&mutex_);
    const auto there = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return cancelled_ > 0; };
    return mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20));
  }
  std::string cursor() {
    absl::MutexLock lock(&mutex_);
    return cursor_;
  }

 private:
  Watch* Await() {
    absl::MutexLock lock(&mutex_);
    const auto there = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return watch_ != nullptr && !writing_;
    };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20)));
    return watch_;
  }

  absl::Mutex mutex_;
  Watch* watch_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  int cancelled_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string cursor_ ABSL_GUARDED_BY(mutex_);
  v1::WatchAlertsResponse message_;
};

class ApiTest : public ::testing::Test {
 protected:
  ApiTest() {
    options_.http.threads = 1;
    options_.admin_listen = {.host = "127.0.0.1", .port = 0};
    options_.core_resolve_interval = absl::Seconds(5);
    options_.dispatcher.gateway_name = "gateway-under-test";
    options_.token_limit = options_.unknown_token_limit = {.per_second = 1000, .burst = 1000};
    options_.max_tokens = options_.max_addresses = 1000;
    options_.trusted_proxies = *http::IpNetwork::ParseList("127.0.0.0/8");
  }
  void Start(const std::vector<const FakeCore*>& cores) {
    for (const FakeCore* core : cores) {
      options_.core_addresses.push_back({.host = "127.0.0.1", .port = core->port()});
    }
    auto gateway = Gateway::Start(options_, clock_, monotonic_);
    ASSERT_TRUE(gateway.ok()) << gateway.status();
    gateway_ = *std::move(gateway);
    EXPECT_TRUE(AwaitMetric("tocsin_gateway_core_streams " + std::to_string(cores.size())));
  }
  bool AwaitMetric(const std::string& line, bool there = true) {
    const absl::Duration until = monotonic_.Now() + absl::Seconds(20);
    while (monotonic_.Now() < until) {
      const HttpResponse metrics =
          Fetch(gateway_->admin_port(), "GET /metrics HTTP/1.1\r\nConnection: close\r\n");
      const bool found = metrics.body.find(line + "\n") != std::string::npos;
      if (metrics.status == 200 && found == there) return true;
    }
    return false;
  }
  HttpResponse Send(const std::string& method, const std::string& target,
                    const std::string& body = "", const std::string& headers = "") {
    return Fetch(gateway_->port(), method + " " + target + " HTTP/1.1\r\n" + headers, body);
  }
  // Sends the request of a stream and reads the head.
  std::string Open(HttpClient& client, const std::string& headers = "") {
    client.Send(std::string("GET ") + kWatch + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n");
    return client.ReceiveUntil("\r\n\r\n");
  }

  const SystemClock clock_;
  const SystemMonotonicClock monotonic_;
  Monitors monitors_;
  Alerts alerts_;
  FakeCore core_{0, true, {&monitors_, &alerts_}};
  Options options_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(ApiTest, PassesARequestOnWithWhoSentIt) {
  Start({&core_});
  const HttpResponse response =
      Send("POST", std::string(kMonitors) + "?monitorId=m", R"({"owner": "a"})",
           "Authorization: Bearer tk_x\r\nX-Request-Id: r-1\r\nX-Forwarded-For: 203.0.113.9\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "{\"monitor\":{\"owner\":\"a\"}}\n");
  EXPECT_EQ(response.Header("Content-Type"), "application/json");
  EXPECT_EQ(response.Header("Cache-Control"), "no-store");
  EXPECT_EQ(response.Header("X-Request-Id"), "r-1");
  EXPECT_EQ(response.Header("Access-Control-Allow-Origin"), "");
  EXPECT_EQ(monitors_.Metadata("authorization"), "Bearer tk_x");
  EXPECT_EQ(monitors_.Metadata("x-request-id"), "r-1");
  EXPECT_EQ(monitors_.Metadata("x-forwarded-for"), "203.0.113.9");
  EXPECT_TRUE(AwaitMetric(R"(tocsin_gateway_api_requests_total{kind="write",status="2xx"} 1)"));
}

TEST_F(ApiTest, AnswersALargePage) {
  Start({&core_});
  EXPECT_EQ(
      json::parse(Send("GET", std::string(kMonitors) + "?pageSize=1000").body)["monitors"].size(),
      1000u);
}

TEST_F(ApiTest, TellsWhatCoreRefused) {
  Start({&core_});
  absl::Status status = absl::InvalidArgumentError("page_size: must be at most 1,000");
  AddFieldViolation(status, "page_size", "must be at most 1,000");
  SetReason(status, "INVALID_FIELD");
  monitors_.Set(status);
  const HttpResponse response = Send("GET", kMonitors);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.Header("Content-Type"), "application/problem+json");
  const json problem = json::parse(response.body);
  EXPECT_EQ(problem["reason"], "INVALID_FIELD");
  EXPECT_EQ(problem["violations"][0]["field"], "pageSize");
  EXPECT_EQ(problem["detail"], "pageSize: must be at most 1,000");
}

TEST_F(ApiTest, RefusesACredentialThatNoMetadataCanCarry) {
  Start({&core_});
  for (const std::string value : {"Bearer \xff", "Bearer a\tb"}) {
    const HttpResponse response = Send("GET", kMonitors, "", "Authorization: " + value + "\r\n");
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(response.Header("WWW-Authenticate"), "Bearer");
    EXPECT_EQ(json::parse(response.body)["reason"], "KEY_UNKNOWN");
  }
  EXPECT_EQ(monitors_.calls(), 0);
}

TEST_F(ApiTest, TriesAReadAgainOnAnotherCoreAndAChangeNever) {
  Monitors other;
  FakeCore second(0, true, {&other});
  Start({&core_, &second});
  monitors_.Set(absl::UnavailableError("going"));
  other.Set(absl::UnavailableError("going"));
  EXPECT_EQ(Send("GET", kMonitors).status, 503);
  EXPECT_EQ(monitors_.calls() + other.calls(), 2);
  EXPECT_EQ(monitors_.calls(), 1);
  const HttpResponse response = Send("POST", std::string(kMonitors) + "?monitorId=m", "{}");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.Header("Retry-After"), "1");
  EXPECT_EQ(monitors_.calls() + other.calls(), 3);
  other.Set(absl::OkStatus());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Send("GET", kMonitors).status, 200);
}

TEST_F(ApiTest, TriesAPushAgainUnderItsIdAndTellsCoreOfOneThatNobodyTook) {
  Pushes first, second;
  FakeCore one(0, true, {&first}), two(0, true, {&second});
  Start({&one, &two});
  first.Set(absl::UnavailableError("going"));
  const auto push = [this] { return Send("POST", "/api/v1/push", R"({"pushToken": "t"})").status; };
  for (int i = 0; i < 4; ++i) EXPECT_EQ(push(), 200);
  ASSERT_FALSE(first.ids().empty());
  ASSERT_EQ(second.ids().size(), 4);
  EXPECT_NE(first.ids()[0], 0);
  EXPECT_THAT(second.ids(), ::testing::Contains(first.ids()[0]));
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_shed_seconds_total 0"));
  second.Set(absl::UnavailableError("going"));
  EXPECT_EQ(push(), 503);
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_shed_seconds_total 0", /*there=*/false));
}

TEST_F(ApiTest, PushesWaitForNoReads) {
  Pushes pushes;
  FakeCore core(0, true, {&monitors_, &pushes});
  options_.api.max_calls = 1;
  Start({&core});
  monitors_.Hang();
  HttpClient reader(gateway_->port());
  reader.Send(std::string("GET ") + kMonitors + " HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(monitors_.AwaitCalls(1));
  EXPECT_EQ(Send("POST", "/api/v1/push", R"({"pushToken": "t"})").status, 200);
}

TEST_F(ApiTest, GivesUpOnACoreThatDoesNotAnswerAndBoundsWhoWaits) {
  options_.api.timeout = absl::Milliseconds(300);
  options_.api.max_calls = 1;
  Start({&core_});
  monitors_.Hang();
  HttpClient first(gateway_->port());
  first.Send(std::string("GET ") + kMonitors + " HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(monitors_.AwaitCalls(1));
  const HttpResponse busy = Send("GET", kMonitors);
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(json::parse(busy.body)["reason"], "GATEWAY_BUSY");
  EXPECT_EQ(first.Receive().status, 504);
}

TEST_F(ApiTest, SaysThatNoCoreIsConnected) {
  Start({&core_});
  core_.Stop();
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_core_streams 0"));
  for (const char* target : {kMonitors, kWatch}) {
    const HttpResponse response = Send("GET", target);
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.Header("Retry-After"), "1");
  }
}

TEST_F(ApiTest, StreamsEventsAndTheErrorThatEndsThem) {
  Start({&core_});
  HttpClient client(gateway_->port());
  client.Send(std::string("GET ") + kWatch +
              "?cursor=old HTTP/1.1\r\nHost: x\r\nLast-Event-ID: c-1\r\n\r\n");
  alerts_.Write("c-1", "");
  EXPECT_THAT(client.ReceiveUntil("\r\n\r\n"), HasSubstr("Content-Type: text/event-stream"));
  EXPECT_EQ(alerts_.cursor(), "c-1");
  EXPECT_THAT(client.ReceiveUntil("id: c-1\n\n"), HasSubstr("retry: "));
  alerts_.Write("c-2", "e");
  EXPECT_THAT(client.ReceiveUntil("\n\n"), HasSubstr("id: c-2\nevent: alertEvent\ndata: {"));
  alerts_.End(absl::UnavailableError("core stops"));
  EXPECT_THAT(client.ReceiveUntil("0\r\n\r\n"), HasSubstr("event: error\ndata: {"));
  EXPECT_TRUE(AwaitMetric("tocsin_gateway_api_streams 0"));
}

TEST_F(ApiTest, AnswersAStreamThatIsRefusedWithAProblem) {
  Start({&core_});
  HttpClient client(gateway_->port());
  client.Send(std::string("GET ") + kWatch + " HTTP/1.1\r\nHost: x\r\n\r\n");
  alerts_.End(absl::OutOfRangeError("unknown epoch"));
  const HttpResponse response = client.Receive();
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(json::parse(response.body)["code"], "OUT_OF_RANGE");
}

TEST_F(ApiTest, CancelsTheCallOfAClientThatLeft) {
  Start({&core_});
  HttpClient client(gateway_->port());
  client.Send(std::string("GET ") + kWatch + " HTTP/1.1\r\nHost: x\r\n\r\n");
  alerts_.Write("c-1", "");
  client.ReceiveUntil("id: c-1\n\n");
  client.Close();
  EXPECT_TRUE(alerts_.AwaitCancelled());
}

TEST_F(ApiTest, EndsStreamsWhenItDrainsAndBoundsThem) {
  options_.api.max_streams = 1;
  Start({&core_});
  HttpClient client(gateway_->port());
  client.Send(std::string("GET ") + kWatch + " HTTP/1.1\r\nHost: x\r\n\r\n");
  alerts_.Write("c-1", "");
  client.ReceiveUntil("id: c-1\n\n");
  EXPECT_EQ(Send("GET", kWatch).status, 503);
  EXPECT_TRUE(gateway_->Drain(absl::ZeroDuration(), absl::Seconds(20)));
  EXPECT_THAT(client.ReceiveUntil("0\r\n\r\n"), HasSubstr("0\r\n\r\n"));
  EXPECT_TRUE(alerts_.AwaitCancelled());
}

TEST_F(ApiTest, ShowsItsReference) {
  Start({&core_});
  EXPECT_EQ(Send("GET", "/").Header("Location"), "/docs");
  EXPECT_THAT(Send("GET", "/docs").Header("Content-Security-Policy"),
              HasSubstr("default-src 'none'"));
  EXPECT_EQ(json::parse(Send("GET", "/openapi.json").body)["openapi"], "3.1.0");
  EXPECT_EQ(Send("POST", "/docs").status, 405);
}

}  // namespace
}  // namespace tocsin::gateway
