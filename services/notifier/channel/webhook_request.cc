// Turns a delivery into the signed HTTP request that carries it.
#include "services/notifier/channel/webhook_request.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/standard_webhooks.h"
#include "common/status_macros.h"
#include "services/notifier/channel/payload.h"

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

}  // namespace

absl::string_view FormatWord(Format format) {
  return format == Format::kStandardWebhook ? "standard_webhook" : "unknown";
}

absl::StatusOr<HttpRequest> BuildWebhookRequest(const Delivery& delivery, absl::Time now,
                                                absl::Duration timeout) {
  if (delivery.destination.format != Format::kStandardWebhook) {
    return absl::InvalidArgumentError("the channel has a format that this version does not know");
  }
  const std::string& id = delivery.facts.delivery_id;
  // It becomes a header: a line break in it would begin another one.
  if (id.empty() || !std::all_of(id.begin(), id.end(), absl::ascii_isgraph)) {
    return absl::InvalidArgumentError("the delivery's id cannot be a header");
  }
  ASSIGN_OR_RETURN(const std::vector<WebhookSecret> secrets,
                   ParseSecrets(delivery.destination.secrets));
  const int64_t timestamp = absl::ToUnixSeconds(now);
  HttpRequest request;
  request.url = delivery.destination.url;
  request.body = StandardWebhookPayload(delivery.message);
  request.timeout = timeout;
  request.headers = {"content-type: application/json", absl::StrCat(kWebhookIdHeader, ": ", id),
                     absl::StrCat(kWebhookTimestampHeader, ": ", timestamp),
                     absl::StrCat(kWebhookSignatureHeader, ": ",
                                  SignWebhook(secrets, id, timestamp, request.body))};
  if (delivery.facts.redelivery) request.headers.push_back("tocsin-redelivery: true");
  return request;
}

}  // namespace tocsin::notifier
