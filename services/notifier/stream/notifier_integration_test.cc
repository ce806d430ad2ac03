// The whole notifier between a core and receivers on loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/standard_webhooks.h"
#include "services/notifier/metrics.h"
#include "services/notifier/notifier.h"
#include "services/notifier/stream/testing/fake_core.h"
#include "services/notifier/testing/local_receiver.h"

namespace tocsin::notifier {
namespace {

using internal::v1::Assignment;
using internal::v1::DeliveryReport;
using Response = LocalReceiver::Response;

class NotifierIntegrationTest : public testing::Test {
 protected:
  void Start(bool allow_private = true, int max_assigned = 1024) {
    NotifierOptions options;
    options.client.core_addresses = {core_.address()};
    options.client.name = "tester";
    options.client.max_assigned = max_assigned;
    options.client.longest_backoff = absl::Milliseconds(200);
    options.http.addresses = AddressPolicy(allow_private, {});
    notifier_ = std::make_unique<Notifier>(options, clock_, monotonic_, metrics_);
  }
  Assignment Make(const std::string& id, const std::string& channel, const std::string& url) {
    return MakeAssignment(id, channel, url, clock_.Now());
  }
  // The report of the n-th finished delivery, from 0.
  DeliveryReport WaitForReport(size_t n) {
    EXPECT_TRUE(core_.WaitForReports(n + 1));
    const auto reports = core_.reports();
    return n < reports.size() ? reports[n] : DeliveryReport();
  }
  // What becomes of one delivery to a receiver that answers like this.
  DeliveryReport Send(const Response& response) {
    LocalReceiver receiver([response](const LocalReceiver::Request&) { return response; });
    Start();
    core_.Assign(Make("msg_1", "ops", receiver.Url()));
    const DeliveryReport report = WaitForReport(0);
    notifier_.reset();
    return report;
  }

  SystemClock clock_;
  SystemMonotonicClock monotonic_;
  prometheus::Registry registry_;
  NotifierMetrics metrics_{registry_};
  FakeCore core_;
  std::unique_ptr<Notifier> notifier_;
};

TEST_F(NotifierIntegrationTest, DeliversASignedAlertThatSaysWhatHappened) {
  LocalReceiver receiver([](const LocalReceiver::Request&) { return Response(); });
  Start();
  core_.Assign(Make("msg_1", "ops", receiver.Url()));
  const DeliveryReport report = WaitForReport(0);
  EXPECT_EQ(report.result(), DeliveryReport::RESULT_DELIVERED);
  EXPECT_EQ(report.outcome(), "ok");
  EXPECT_EQ(report.http_status(), 200);
  EXPECT_EQ(report.lease_id(), "lease-msg_1");
  EXPECT_TRUE(notifier_->Ready().ok());
  ASSERT_EQ(receiver.requests().size(), 1u);
  const LocalReceiver::Request request = receiver.requests()[0];
  const WebhookHeaders headers = {request.headers.at("webhook-id"),
                                  request.headers.at("webhook-timestamp"),
                                  request.headers.at("webhook-signature")};
  EXPECT_EQ(headers.id, "msg_1");
  EXPECT_TRUE(
      VerifyWebhook({*WebhookSecret::Parse(kTestSecret)}, headers, request.body, clock_.Now())
          .ok());
  const auto body = nlohmann::json::parse(request.body, nullptr, false);
  ASSERT_FALSE(body.is_discarded());
  EXPECT_EQ(body["type"], "incident.opened");
  EXPECT_EQ(body["data"]["sequence"], 1);
  EXPECT_THAT(body["data"]["summary"].get<std::string>(),
              testing::StartsWith("DOWN of-msg_1 (critical): reported down \"disk full\""));
}

TEST_F(NotifierIntegrationTest, AFailureIsRetriedWithTheSameIdAndBytes) {
  std::atomic<int> calls = 0;
  LocalReceiver receiver([&calls](const LocalReceiver::Request&) {
    Response response;
    response.status = ++calls == 1 ? 500 : 200;
    return response;
  });
  Start();
  Assignment assignment = Make("msg_1", "ops", receiver.Url());
  core_.Assign(assignment);
  const DeliveryReport first = WaitForReport(0);
  EXPECT_EQ(first.result(), DeliveryReport::RESULT_RETRY);
  EXPECT_EQ(first.outcome(), "status_5xx");
  EXPECT_EQ(first.http_status(), 500);
  const double wait = first.retry_after().seconds() + first.retry_after().nanos() / 1e9;
  EXPECT_GE(wait, 0.5);
  EXPECT_LE(wait, 1.0);
  assignment.set_attempt(2);
  assignment.set_lease_id("second");
  core_.Assign(assignment);
  const DeliveryReport second = WaitForReport(1);
  EXPECT_EQ(second.result(), DeliveryReport::RESULT_DELIVERED);
  EXPECT_EQ(second.lease_id(), "second");
  const auto requests = receiver.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].body, requests[1].body);
  EXPECT_EQ(requests[0].headers.at("webhook-id"), requests[1].headers.at("webhook-id"));
}

TEST_F(NotifierIntegrationTest, AReceiverThatSaysGoneIsReportedGone) {
  Response gone;
  gone.status = 410;
  const DeliveryReport report = Send(gone);
  EXPECT_EQ(report.result(), DeliveryReport::RESULT_GONE);
  EXPECT_EQ(report.outcome(), "gone");
}

TEST_F(NotifierIntegrationTest, ARedirectIsRefused) {
  Response redirect;
  redirect.status = 302;
  redirect.headers = "Location: http://127.0.0.1:1/\r\n";
  const DeliveryReport report = Send(redirect);
  EXPECT_EQ(report.result(), DeliveryReport::RESULT_RETRY);
  EXPECT_EQ(report.outcome(), "status_3xx");
}

TEST_F(NotifierIntegrationTest, RetryAfterIsHonouredAndHoldsTheChannel) {
  LocalReceiver receiver([](const LocalReceiver::Request&) {
    Response limited;
    limited.status = 429;
    limited.headers = "Retry-After: 30\r\n";
    return limited;
  });
  Start();
  core_.Assign(Make("msg_1", "ops", receiver.Url()));
  const DeliveryReport first = WaitForReport(0);
  EXPECT_EQ(first.result(), DeliveryReport::RESULT_RETRY);
  EXPECT_EQ(first.retry_after().seconds(), 30);
  core_.Assign(Make("msg_2", "ops", receiver.Url()));
  const DeliveryReport second = WaitForReport(1);
  EXPECT_EQ(second.result(), DeliveryReport::RESULT_DEFERRED);
  EXPECT_EQ(second.outcome(), "circuit_open");
  EXPECT_GE(second.retry_after().seconds(), 25);
  EXPECT_EQ(receiver.requests().size(), 1u);
}

TEST_F(NotifierIntegrationTest, ReceiversThatHangHoldUpNobodyElse) {
  LocalReceiver hanging([](const LocalReceiver::Request&) {
    Response response;
    response.hang = true;
    return response;
  });
  LocalReceiver healthy([](const LocalReceiver::Request&) { return Response(); });
  Start();
  for (int i = 0; i < 200; ++i) {
    core_.Assign(Make(absl::StrCat("hangs_", i), absl::StrCat("hangs_", i), hanging.Url()));
  }
  for (int i = 0; i < 200; ++i) {
    core_.Assign(Make(absl::StrCat("msg_", i), "healthy", healthy.Url()));
  }
  ASSERT_TRUE(core_.WaitForReports(200));
  EXPECT_EQ(healthy.requests().size(), 200u);
  for (const DeliveryReport& report : core_.reports()) EXPECT_EQ(report.outcome(), "ok");
}

TEST_F(NotifierIntegrationTest, ADeadReceiverIsSoonHandedBackUntried) {
  LocalReceiver failing([](const LocalReceiver::Request&) {
    Response response;
    response.status = 500;
    return response;
  });
  Start();
  for (int i = 0; i < 20; ++i) core_.Assign(Make(absl::StrCat("msg_", i), "dead", failing.Url()));
  ASSERT_TRUE(core_.WaitForReports(20));
  EXPECT_EQ(failing.requests().size(), 5u);
  int untried = 0;
  for (const DeliveryReport& report : core_.reports()) {
    if (report.result() == DeliveryReport::RESULT_DEFERRED) ++untried;
  }
  EXPECT_EQ(untried, 15);
}

TEST_F(NotifierIntegrationTest, ASuccessThatABrokenStreamLostIsToldAgainAndNotSentAgain) {
  LocalReceiver receiver([](const LocalReceiver::Request&) { return Response(); });
  Start();
  core_.set_loses_reports(true);
  core_.Assign(Make("msg_1", "ops", receiver.Url()));
  ASSERT_TRUE(core_.WaitForLostReports(1));
  core_.set_loses_reports(false);
  core_.BreakStreams();
  EXPECT_EQ(WaitForReport(0).result(), DeliveryReport::RESULT_DELIVERED);
  EXPECT_EQ(receiver.requests().size(), 1u);
}

TEST_F(NotifierIntegrationTest, ALeaseThatIsTooShortIsNotUsed) {
  LocalReceiver receiver([](const LocalReceiver::Request&) { return Response(); });
  Start();
  Assignment assignment = Make("msg_1", "ops", receiver.Url());
  assignment.mutable_lease()->set_seconds(0);
  assignment.mutable_lease()->set_nanos(1);
  core_.Assign(assignment);
  const DeliveryReport report = WaitForReport(0);
  EXPECT_EQ(report.result(), DeliveryReport::RESULT_DEFERRED);
  EXPECT_EQ(report.outcome(), "expired_lease");
  EXPECT_EQ(receiver.requests().size(), 0u);
}

TEST_F(NotifierIntegrationTest, PrivateAddressesAreRefusedByDefault) {
  LocalReceiver receiver([](const LocalReceiver::Request&) { return Response(); });
  Start(/*allow_private=*/false);
  core_.Assign(Make("msg_1", "ops", receiver.Url()));
  const DeliveryReport report = WaitForReport(0);
  EXPECT_EQ(report.result(), DeliveryReport::RESULT_RETRY);
  EXPECT_EQ(report.outcome(), "address_refused");
  EXPECT_EQ(receiver.connections(), 0);
}

TEST_F(NotifierIntegrationTest, AnUnusableChannelIsDead) {
  Start();
  core_.Assign(Make("msg_1", "ops", "ftp://127.0.0.1/"));
  EXPECT_EQ(WaitForReport(0).result(), DeliveryReport::RESULT_DEAD);
  Assignment no_secret = Make("msg_2", "other", "http://127.0.0.1/");
  no_secret.mutable_destination()->clear_secrets();
  core_.Assign(no_secret);
  const DeliveryReport report = WaitForReport(1);
  EXPECT_EQ(report.result(), DeliveryReport::RESULT_DEAD);
  EXPECT_EQ(report.outcome(), "bad_channel");
}

TEST_F(NotifierIntegrationTest, DrainFinishesWhatIsUnderWayAndHandsBackTheRest) {
  absl::Mutex mutex;
  bool go = false;
  LocalReceiver receiver([&mutex, &go](const LocalReceiver::Request&) {
    absl::MutexLock lock(&mutex);
    mutex.Await(absl::Condition(&go));
    return Response();
  });
  Start();
  core_.Assign(Make("msg_1", "ops", receiver.Url()));
  core_.Assign(Make("msg_2", "ops", receiver.Url()));
  ASSERT_TRUE(receiver.WaitForRequests(1));
  ASSERT_TRUE(core_.WaitForUnassigned(0));
  std::thread drain([this] { EXPECT_TRUE(notifier_->Drain(absl::Seconds(10))); });
  EXPECT_EQ(WaitForReport(0).outcome(), "draining");
  {
    absl::MutexLock lock(&mutex);
    go = true;
  }
  const DeliveryReport report = WaitForReport(1);
  EXPECT_EQ(report.delivery_id(), "msg_1");
  EXPECT_EQ(report.result(), DeliveryReport::RESULT_DELIVERED);
  drain.join();
  EXPECT_TRUE(core_.WaitForStreams(0));
}

TEST_F(NotifierIntegrationTest, IsNotReadyWithoutACore) {
  core_.BreakStreams();
  NotifierOptions options;
  options.client.core_addresses = {"127.0.0.1:1"};
  Notifier notifier(options, clock_, monotonic_, metrics_);
  EXPECT_EQ(notifier.Ready().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace tocsin::notifier
