// One delivery as core assigned it: what it tells, where it goes, and for how long it is ours.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/notifier/channel/message.h"
#include "services/notifier/delivery/verdict.h"

namespace tocsin::notifier {

// The bodies that a channel can be sent; kUnknown stands for those of later versions.
enum class Format { kUnknown, kStandardWebhook, kSlack, kPagerDuty };

// Holds secrets: never logged, but for the channel's name.
struct Destination {
  std::string channel;  // projects/{project}/channels/{channel}
  std::string url;
  // `whsec_…`, the newest first; of PagerDuty the routing key; of Slack none.
  std::vector<std::string> secrets;
  std::map<std::string, std::string> headers;  // that requests carry besides, by name
  Format format = Format::kUnknown;
};

struct Delivery {
  DeliveryFacts facts;
  absl::Duration lease;      // how long it is ours
  absl::Duration leased_at;  // by the monotonic clock
  Destination destination;
  Message message;
};

// The word for metrics: "standard_webhook", "slack", "pagerduty" or "unknown".
absl::string_view FormatWord(Format format);

}  // namespace tocsin::notifier
