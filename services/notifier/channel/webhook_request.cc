// Turns a delivery into the HTTP request that carries it.
#include "services/notifier/channel/webhook_request.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/standard_webhooks.h"
#include "common/status_macros.h"
#include "services/notifier/channel/pagerduty_payload.h"
#include "services/notifier/channel/payload.h"
#include "services/notifier/channel/slack_payload.h"

namespace tocsin::notifier {
namespace {

absl::StatusOr<std::vector<WebhookSecret>> ParseSecrets(const std::vector<std::string>& texts) {
  if (texts.empty()) return absl::InvalidArgumentError("the channel has no webhook secret");
  std::vector<WebhookSecret> secrets;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(WebhookSecret secret, WebhookSecret::Parse(text));
    secrets.push_back(std::move(secret));
  }
  return secrets;
}

constexpr char kJsonType[] = "content-type: application/json";

// Adds the body of a Standard Webhooks request, and the headers that sign it.
absl::Status Sign(const Delivery& delivery, absl::Time now, HttpRequest& request) {
  const std::string& id = delivery.facts.delivery_id;
  // It becomes a header: a line break in it would begin another one.
  if (id.empty() || !std::all_of(id.begin(), id.end(), absl::ascii_isgraph)) {
    return absl::InvalidArgumentError("the delivery's id cannot be a header");
  }
  ASSIGN_OR_RETURN(const std::vector<WebhookSecret> secrets,
                   ParseSecrets(delivery.destination.secrets));
  const int64_t timestamp = absl::ToUnixSeconds(now);
  request.body = StandardWebhookPayload(delivery.message);
  request.headers = {kJsonType, absl::StrCat(kWebhookIdHeader, ": ", id),
                     absl::StrCat(kWebhookTimestampHeader, ": ", timestamp),
                     absl::StrCat(kWebhookSignatureHeader, ": ",
                                  SignWebhook(secrets, id, timestamp, request.body))};
  if (delivery.facts.redelivery) request.headers.push_back("tocsin-redelivery: true");
  return absl::OkStatus();
}

// The headers that the channel has besides. Core lets none pass that could break a line; one that
// came in another way is not to.
absl::Status AddHeaders(const Destination& destination, HttpRequest& request) {
  const auto is_one_line = [](const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isprint);
  };
  for (const auto& [name, value] : destination.headers) {
    if (!is_one_line(name) || !is_one_line(value)) {
      return absl::InvalidArgumentError("the channel has a header that cannot be sent");
    }
    request.headers.push_back(absl::StrCat(name, ": ", value));
  }
  return absl::OkStatus();
}

// A beginning that somebody sends again after its end was told: no other end will come.
bool BeginsWhatIsOver(const Delivery& delivery) {
  const Message& message = delivery.message;
  return delivery.facts.redelivery && !delivery.facts.incident_open && !message.events.empty() &&
         !message.digest.has_value() && message.events.back().type != EventType::kResolved;
}

}  // namespace

absl::string_view FormatWord(Format format) {
  switch (format) {
    case Format::kStandardWebhook:
      return "standard_webhook";
    case Format::kSlack:
      return "slack";
    case Format::kPagerDuty:
      return "pagerduty";
    case Format::kUnknown:
      break;
  }
  return "unknown";
}

absl::StatusOr<HttpRequest> BuildWebhookRequest(const Delivery& delivery, absl::Time now,
                                                absl::Duration timeout) {
  HttpRequest request;
  request.url = delivery.destination.url;
  request.timeout = timeout;
  // An HTTP/2 connection outlives requests that time out in it, also when nobody is there.
  request.connects_anew = delivery.facts.attempt > 1;
  request.headers = {kJsonType};
  switch (delivery.destination.format) {
    case Format::kStandardWebhook:
      RETURN_IF_ERROR(Sign(delivery, now, request));
      break;
    case Format::kSlack:
      request.body = SlackPayload(delivery.message);
      break;
    case Format::kPagerDuty:
      if (delivery.destination.secrets.empty()) {
        return absl::InvalidArgumentError("the channel has no routing key");
      }
      request.body = PagerDutyPayload(
          delivery.message, delivery.destination.secrets.front(),
          BeginsWhatIsOver(delivery) ? PagerDutyEvent::kEnding : PagerDutyEvent::kNewest);
      break;
    case Format::kUnknown:
      return absl::InvalidArgumentError("the channel has a format that this version does not know");
  }
  RETURN_IF_ERROR(AddHeaders(delivery.destination, request));
  return request;
}

std::optional<HttpRequest> RequestBefore(const Delivery& delivery, const HttpRequest& request) {
  if (delivery.destination.format != Format::kPagerDuty ||
      !(TellsBeginningAndEnd(delivery.message) || BeginsWhatIsOver(delivery))) {
    return std::nullopt;
  }
  HttpRequest before = request;
  before.body = PagerDutyPayload(delivery.message, delivery.destination.secrets.front(),
                                 PagerDutyEvent::kOpening);
  return before;
}

}  // namespace tocsin::notifier
