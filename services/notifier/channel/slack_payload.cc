// The JSON body of an incoming webhook of Slack.
#include "services/notifier/channel/slack_payload.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/notifier/channel/event_json.h"
#include "services/notifier/channel/mrkdwn.h"
#include "services/notifier/channel/summary.h"

namespace tocsin::notifier {
namespace {

// Discord has the narrowest limits: 4,096 characters of text, 1,024 of a field, 6,000 in all.
constexpr size_t kTextBytes = 3000;
constexpr size_t kFallbackBytes = 500;  // shown in notifications
constexpr size_t kFieldBytes = 500;

constexpr char kRed[] = "#b71c1c";
constexpr char kOrangeRed[] = "#e64a19";
constexpr char kAmber[] = "#f9a825";
constexpr char kBlue[] = "#1976d2";
constexpr char kGreen[] = "#2e7d32";
constexpr char kGrey[] = "#757575";

const char* ColorOf(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return kRed;
    case Severity::kWarning:
      return kAmber;
    case Severity::kInfo:
      return kBlue;
    default:
      return kOrangeRed;
  }
}

const char* ColorOf(const EventFacts& event) {
  if (event.type != EventType::kResolved) return ColorOf(event.monitor.severity);
  const Resolution how = event.incident.resolution;
  return how == Resolution::kPaused || how == Resolution::kDeleted ? kGrey : kGreen;
}

const char* ColorOf(const DigestFacts& digest) {
  const bool all_ended = std::all_of(
      digest.counts.begin(), digest.counts.end(),
      [](const DigestFacts::Count& count) { return count.type == EventType::kResolved; });
  return all_ended ? kGreen : kOrangeRed;
}

const char* ColorOf(const Message& message) {
  if (message.digest.has_value()) return ColorOf(*message.digest);
  if (!message.events.empty()) return ColorOf(message.events.back());
  if (message.blind.has_value()) {
    if (!message.blind->ended_at.has_value()) return kRed;
    return message.blind->unverified_count > 0 ? kAmber : kBlue;
  }
  return message.type == kChannelFailing ? kRed : kBlue;
}

void AddField(Json& fields, const char* title, const std::string& value) {
  if (value.empty()) return;
  Json field;
  field["title"] = title;
  field["value"] = Mrkdwn(value, kFieldBytes);
  field["short"] = false;
  fields.push_back(std::move(field));
}

// What the summary does not say of a monitor, for who has never heard of it.
Json FieldsOf(const EventFacts& event) {
  Json fields = Json::array();
  if (event.type == EventType::kResolved) return fields;
  std::vector<std::string> labels;
  for (const auto& [key, value] : event.monitor.labels) {
    labels.push_back(absl::StrCat(key, "=", value));
  }
  AddField(fields, "About", event.monitor.description);
  AddField(fields, "Labels", absl::StrJoin(labels, ", "));
  return fields;
}

}  // namespace

std::string SlackPayload(const Message& message) {
  const std::string summary = Summarize(message);
  Json attachment;
  attachment["color"] = ColorOf(message);
  attachment["fallback"] = Mrkdwn(summary, kFallbackBytes);
  attachment["text"] = Mrkdwn(summary, kTextBytes);
  if (!message.digest.has_value() && !message.events.empty()) {
    Json fields = FieldsOf(message.events.back());
    if (!fields.empty()) attachment["fields"] = std::move(fields);
  }
  attachment["footer"] = "Tocsin";
  attachment["ts"] = absl::ToUnixSeconds(message.occurred_at);
  Json body;
  body["attachments"] = Json::array({std::move(attachment)});
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tocsin::notifier
