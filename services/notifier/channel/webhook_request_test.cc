// Tells what is in the request that carries a delivery.
#include "services/notifier/channel/webhook_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "common/standard_webhooks.h"
#include "services/notifier/testing/sample_messages.h"

namespace tocsin::notifier {
namespace {

using ::testing::ElementsAre;

const absl::Time kNow = absl::FromUnixSeconds(1'773'112'320);

Delivery Sample() {
  Delivery delivery;
  delivery.facts.delivery_id = "msg_1";
  delivery.destination.channel = "projects/default/channels/ops";
  delivery.destination.url = "https://example.com/hook";
  delivery.destination.secrets = {WebhookSecret::Format(std::string(24, 'n')),
                                  WebhookSecret::Format(std::string(24, 'o'))};
  delivery.destination.format = Format::kStandardWebhook;
  delivery.message = SampleNamed("opened_missed_deadline");
  return delivery;
}

std::string Header(const HttpRequest& request, const std::string& name) {
  for (const std::string& header : request.headers) {
    if (absl::StartsWith(header, name + ": ")) return header.substr(name.size() + 2);
  }
  return "";
}

TEST(WebhookRequestTest, ARetryTrustsNoConnectionThatIsOpen) {
  Delivery delivery = Sample();
  EXPECT_FALSE(BuildWebhookRequest(delivery, kNow, absl::Seconds(10))->connects_anew);
  delivery.facts.attempt = 2;
  EXPECT_TRUE(BuildWebhookRequest(delivery, kNow, absl::Seconds(10))->connects_anew);
}

TEST(WebhookRequestTest, VerifiesWithEverySecretWhileOneRotates) {
  const auto request = BuildWebhookRequest(Sample(), kNow, absl::Seconds(10));
  ASSERT_TRUE(request.ok());
  const WebhookHeaders headers = {Header(*request, "webhook-id"),
                                  Header(*request, "webhook-timestamp"),
                                  Header(*request, "webhook-signature")};
  EXPECT_EQ(headers.id, "msg_1");
  EXPECT_EQ(headers.timestamp, "1773112320");
  for (const std::string& secret : Sample().destination.secrets) {
    EXPECT_TRUE(VerifyWebhook({*WebhookSecret::Parse(secret)}, headers, request->body, kNow).ok());
  }
  EXPECT_EQ(Header(*request, "content-type"), "application/json");
}

TEST(WebhookRequestTest, SendsTheSameBytesOnEveryAttemptAndARedeliveryIsMarked) {
  const auto first = BuildWebhookRequest(Sample(), kNow, absl::Seconds(10));
  Delivery again = Sample();
  again.facts.attempt = 9;
  again.facts.redelivery = true;
  const auto second = BuildWebhookRequest(again, kNow + absl::Hours(1), absl::Seconds(10));
  EXPECT_EQ(first->body, second->body);
  EXPECT_EQ(Header(*first, "webhook-id"), Header(*second, "webhook-id"));
  EXPECT_EQ(Header(*first, "tocsin-redelivery"), "");
  EXPECT_EQ(Header(*second, "tocsin-redelivery"), "true");
}

TEST(WebhookRequestTest, ChannelsOfEveryFormatHaveHeadersOfTheirOwn) {
  Delivery delivery = Sample();
  delivery.destination.headers = {{"Authorization", "Bearer x"}, {"X-Env", "prod"}};
  for (const Format format : {Format::kStandardWebhook, Format::kSlack, Format::kPagerDuty}) {
    delivery.destination.format = format;
    const auto request = BuildWebhookRequest(delivery, kNow, absl::Seconds(10));
    ASSERT_TRUE(request.ok()) << request.status();
    EXPECT_EQ(Header(*request, "Authorization"), "Bearer x");
    EXPECT_EQ(Header(*request, "X-Env"), "prod");
    EXPECT_EQ(Header(*request, "content-type"), "application/json");
  }
}

TEST(WebhookRequestTest, ASlackChannelNeedsNoSecretAndIsSentNoSignature) {
  Delivery delivery = Sample();
  delivery.destination.format = Format::kSlack;
  delivery.destination.secrets.clear();
  const auto request = BuildWebhookRequest(delivery, kNow, absl::Seconds(10));
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->headers, std::vector<std::string>{"content-type: application/json"});
  EXPECT_TRUE(absl::StrContains(request->body, "\"attachments\""));
}

TEST(WebhookRequestTest, PagerDutyIsSentItsRoutingKeyInTheBodyAndNowhereElse) {
  Delivery delivery = Sample();
  delivery.destination.format = Format::kPagerDuty;
  delivery.destination.secrets = {"R0123456789ABCDEFGHIJKLMNOPQRSTU"};
  const auto request = BuildWebhookRequest(delivery, kNow, absl::Seconds(10));
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->headers, std::vector<std::string>{"content-type: application/json"});
  EXPECT_TRUE(
      absl::StrContains(request->body, "\"routing_key\":\"R0123456789ABCDEFGHIJKLMNOPQRSTU\""));
  delivery.destination.secrets.clear();
  EXPECT_FALSE(BuildWebhookRequest(delivery, kNow, absl::Seconds(10)).ok());
}

TEST(WebhookRequestTest, PagerDutyIsNotLeftWithTheBeginningOfWhatIsOver) {
  Delivery delivery = Sample();
  delivery.destination.format = Format::kPagerDuty;
  delivery.destination.secrets = {"R0123456789ABCDEFGHIJKLMNOPQRSTU"};
  const auto actions = [&] {
    std::vector<std::string> actions;
    const HttpRequest request = *BuildWebhookRequest(delivery, kNow, absl::Seconds(10));
    if (const auto before = RequestBefore(delivery, request)) {
      actions.push_back(nlohmann::json::parse(before->body)["event_action"]);
      EXPECT_EQ(nlohmann::json::parse(before->body)["dedup_key"],
                nlohmann::json::parse(request.body)["dedup_key"]);
    }
    actions.push_back(nlohmann::json::parse(request.body)["event_action"]);
    return actions;
  };
  EXPECT_THAT(actions(), ElementsAre("trigger")) << "its end will come";
  delivery.facts.redelivery = true;
  EXPECT_THAT(actions(), ElementsAre("trigger", "resolve")) << "its end was told before";
  delivery.facts.incident_open = true;
  EXPECT_THAT(actions(), ElementsAre("trigger"));
  delivery.message = SampleNamed("resolved_recovered");
  delivery.facts.incident_open = false;
  EXPECT_THAT(actions(), ElementsAre("resolve"));
}

TEST(WebhookRequestTest, RefusesWhatCanNeverBeSentWithoutNamingSecrets) {
  Delivery no_secret = Sample();
  no_secret.destination.secrets.clear();
  Delivery bad_secret = Sample();
  bad_secret.destination.secrets.push_back("hunter2hunter2");
  Delivery unknown_format = Sample();
  unknown_format.destination.format = Format::kUnknown;
  Delivery forged_header = Sample();
  forged_header.facts.delivery_id = "msg_1\r\nx: y";
  Delivery broken_value = Sample();
  broken_value.destination.headers = {{"X-Key", "hunter2\r\nwebhook-id: 1"}};
  Delivery broken_name = Sample();
  broken_name.destination.headers = {{"", "hunter2"}};
  for (const Delivery& delivery :
       {no_secret, bad_secret, unknown_format, forged_header, broken_value, broken_name}) {
    const auto request = BuildWebhookRequest(delivery, kNow, absl::Seconds(10));
    EXPECT_EQ(request.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_FALSE(absl::StrContains(request.status().message(), "hunter2"));
  }
}

}  // namespace
}  // namespace tocsin::notifier
