// Tells what the courier reports of each delivery, with an HTTP client that answers as it is told.
#include "services/notifier/courier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/testing/fake_clock.h"
#include "services/notifier/testing/sample_messages.h"

namespace tocsin::notifier {
namespace {

using ::testing::HasSubstr;

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

// Keeps requests until the test answers them. On the loop's thread.
class FakeHttpClient : public HttpClient {
 public:
  void Send(HttpRequest request, Done done) override {
    requests.push_back(std::move(request));
    pending.push_back(std::move(done));
  }
  void Answer(HttpResult result) {
    Done done = std::move(pending.front());
    pending.erase(pending.begin());
    done(std::move(result));
  }

  std::vector<HttpRequest> requests;
  std::vector<Done> pending;
};

// A wall clock whose reading takes long, as when the process is frozen between two lines.
class FreezingClock : public Clock {
 public:
  explicit FreezingClock(FakeMonotonicClock& monotonic) : monotonic_(monotonic) {}
  absl::Time Now() const override {
    monotonic_.Advance(freeze);
    return TestEpoch();
  }
  absl::Duration freeze;

 private:
  FakeMonotonicClock& monotonic_;
};

class CourierTest : public testing::Test {
 protected:
  CourierTest() {
    loop_.Run([this] {
      courier_ = std::make_unique<Courier>(
          CourierOptions{}, clock_, loop_, http_, metrics_,
          [this](Report report) { reports_.push_back(std::move(report)); });
    });
  }
  ~CourierTest() override {
    loop_.Run([this] { courier_.reset(); });
  }

  Delivery Make(const std::string& id, absl::Duration lease = absl::Seconds(30)) {
    Delivery delivery;
    delivery.facts.delivery_id = id;
    delivery.facts.incident_open = true;
    delivery.lease = lease;
    delivery.leased_at = monotonic_.Now();
    delivery.destination.channel = "projects/default/channels/ops";
    delivery.destination.url = "https://example.com/hook";
    delivery.destination.secrets = {kSecret};
    delivery.destination.format = Format::kStandardWebhook;
    delivery.message = SampleNamed("opened_missed_deadline");
    return delivery;
  }
  void Take(Delivery delivery) {
    std::vector<Delivery> one;
    one.push_back(std::move(delivery));
    courier_->Take(std::move(one));
    loop_.Run([] {});
  }
  void Answer(Outcome outcome, int status, std::string retry_after = "", std::string body = "") {
    HttpResult result;
    result.outcome = outcome;
    result.status = status;
    result.retry_after = std::move(retry_after);
    result.answer = std::move(body);
    loop_.Run([this, &result] { http_.Answer(result); });
  }

  FakeMonotonicClock monotonic_{absl::Hours(1)};
  FreezingClock clock_{monotonic_};
  prometheus::Registry registry_;
  NotifierMetrics metrics_{registry_};
  EventLoop loop_{monotonic_};
  FakeHttpClient http_;
  std::vector<Report> reports_;
  std::unique_ptr<Courier> courier_;
};

TEST_F(CourierTest, ReportsASuccess) {
  Take(Make("msg_1"));
  ASSERT_EQ(http_.requests.size(), 1u);
  EXPECT_EQ(http_.requests[0].timeout, absl::Seconds(10));
  Answer(Outcome::kOk, 200);
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].result, Result::kDelivered);
}

TEST_F(CourierTest, ARequestNeverTakesMoreThanHalfOfItsLease) {
  Take(Make("msg_1", absl::Seconds(8)));
  ASSERT_EQ(http_.requests.size(), 1u);
  EXPECT_EQ(http_.requests[0].timeout, absl::Seconds(4));
}

TEST_F(CourierTest, LooksAtTheLeaseRightBeforeSending) {
  clock_.freeze = absl::Seconds(21);
  Take(Make("msg_1"));
  EXPECT_EQ(http_.requests.size(), 0u);
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].result, Result::kDeferred);
  EXPECT_EQ(reports_[0].outcome, Outcome::kExpiredLease);
  clock_.freeze = absl::ZeroDuration();
  Take(Make("msg_2"));
  EXPECT_EQ(http_.requests.size(), 1u);
}

TEST_F(CourierTest, HonoursRetryAfterOnlyOfFailures) {
  Take(Make("msg_1"));
  Answer(Outcome::kStatus5xx, 503, "40");
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].result, Result::kRetry);
  EXPECT_EQ(reports_[0].retry_after, absl::Seconds(40));
  monotonic_.Advance(absl::Seconds(40));
  Take(Make("msg_2"));
  Answer(Outcome::kOk, 200, "40");
  Take(Make("msg_3"));
  EXPECT_EQ(http_.requests.size(), 3u);
}

TEST_F(CourierTest, WhatIsKnownOfHeadersSaysNothingAboutOthers) {
  Take(Make("msg_1"));
  Answer(Outcome::kStatus5xx, 503, "30");
  Take(Make("msg_2"));
  EXPECT_EQ(http_.requests.size(), 1u);  // held back
  Delivery signed_in = Make("msg_3");
  signed_in.destination.headers = {{"Authorization", "Bearer x"}};
  Take(std::move(signed_in));
  EXPECT_EQ(http_.requests.size(), 2u);
}

TEST_F(CourierTest, WhatIsKnownOfAUrlSaysNothingAboutAnother) {
  Take(Make("msg_1"));
  Answer(Outcome::kStatus5xx, 503, "40");
  Take(Make("msg_2"));
  EXPECT_EQ(http_.requests.size(), 1u);
  Delivery moved = Make("msg_3");
  moved.destination.url = "https://elsewhere.example/hook";
  Take(std::move(moved));
  EXPECT_EQ(http_.requests.size(), 2u);
}

TEST_F(CourierTest, WhatCanNeverBeSentIsDead) {
  Delivery no_secret = Make("msg_1");
  no_secret.destination.secrets.clear();
  Take(std::move(no_secret));
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].result, Result::kDead);
  EXPECT_EQ(reports_[0].outcome, Outcome::kBadChannel);
  Take(Make("msg_2"));
  Answer(Outcome::kBadChannel, 0);
  ASSERT_EQ(reports_.size(), 2u);
  EXPECT_EQ(reports_[1].result, Result::kDead);
}

TEST_F(CourierTest, TheWordsOfAChatSayThatItIsGone) {
  Delivery delivery = Make("msg_1");
  delivery.destination.format = Format::kSlack;
  Take(std::move(delivery));
  Answer(Outcome::kStatus4xx, 404, "", "no_service");
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].result, Result::kGone);
  EXPECT_EQ(reports_[0].http_status, 404);
  EXPECT_EQ(reports_[0].answer, "no_service");
}

TEST_F(CourierTest, PagerDutyHearsTheBeginningOfWhatIsOverBeforeItsEnd) {
  Delivery delivery = Make("msg_1");
  delivery.destination.format = Format::kPagerDuty;
  delivery.message = SampleNamed("several_opened_and_closed");
  Take(delivery);
  ASSERT_EQ(http_.requests.size(), 1u);
  EXPECT_THAT(http_.requests[0].body, HasSubstr(R"("event_action":"trigger")"));
  Answer(Outcome::kOk, 202);
  EXPECT_TRUE(reports_.empty());
  ASSERT_EQ(http_.requests.size(), 2u);
  EXPECT_THAT(http_.requests[1].body, HasSubstr(R"("event_action":"resolve")"));
  EXPECT_LE(http_.requests[0].timeout + http_.requests[1].timeout, absl::Seconds(10));
  Answer(Outcome::kOk, 202);
  ASSERT_EQ(reports_.size(), 1u);
  EXPECT_EQ(reports_[0].result, Result::kDelivered);
  // When the first is not taken there is no second.
  delivery.facts.delivery_id = "msg_2";
  Take(delivery);
  Answer(Outcome::kStatus5xx, 503);
  EXPECT_EQ(http_.requests.size(), 3u);
  ASSERT_EQ(reports_.size(), 2u);
  EXPECT_EQ(reports_[1].result, Result::kRetry);
}

TEST_F(CourierTest, DrainHandsBackWhatWaitsAndWhatComes) {
  Take(Make("msg_1"));
  Take(Make("msg_2"));
  ASSERT_EQ(http_.requests.size(), 1u);
  courier_->Drain();
  Take(Make("msg_3"));
  ASSERT_EQ(reports_.size(), 2u);
  for (const Report& report : reports_) EXPECT_EQ(report.outcome, Outcome::kDraining);
  EXPECT_FALSE(courier_->AwaitIdle(absl::ZeroDuration()));
  Answer(Outcome::kOk, 200);
  EXPECT_TRUE(courier_->AwaitIdle(absl::Seconds(10)));
  EXPECT_EQ(reports_.back().result, Result::kDelivered);
}

TEST_F(CourierTest, LogsAFailingChannelOnlyWhenThatChanges) {
  DeliveryLog log;
  const Delivery delivery = Make("msg_1");
  HttpResult result;
  result.outcome = Outcome::kStatus5xx;
  result.status = 500;
  EXPECT_TRUE(log.NoteAttempt(delivery, result));
  EXPECT_FALSE(log.NoteAttempt(delivery, result));
  result.status = 503;
  EXPECT_TRUE(log.NoteAttempt(delivery, result));
  result.outcome = Outcome::kOk;
  EXPECT_TRUE(log.NoteAttempt(delivery, result));
  EXPECT_FALSE(log.NoteAttempt(delivery, result));
}

}  // namespace
}  // namespace tocsin::notifier
