// The JSON body of an event for PagerDuty's Events API v2.
#include "services/notifier/channel/pagerduty_payload.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/notifier/channel/event_json.h"
#include "services/notifier/channel/summary.h"
#include "services/notifier/channel/wording.h"

namespace tocsin::notifier {
namespace {

// PagerDuty's.
constexpr size_t kSummaryBytes = 1024;
constexpr size_t kKeyBytes = 255;
constexpr size_t kEventBytes = 512'000;

// Of what an event says besides `custom_details`.
struct Event {
  bool resolves = false;
  std::string key;
  std::string severity;
  std::string source;     // full name of what it is about
  std::string component;  // its id
  std::string what;       // the class: what is wrong with it
  std::string runbook;
};

// "payments" of "projects/payments/monitors/backup"; empty when it is no such name.
std::string ProjectOf(const std::string& name) {
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  return parts.size() > 1 && parts[0] == "projects" ? parts[1] : "";
}

Event About(const EventFacts& newest) {
  Event event;
  event.resolves = newest.type == EventType::kResolved;
  event.key = newest.incident.name;
  event.severity = Word(newest.monitor.severity);
  event.source = newest.monitor.name;
  event.what = Word(newest.incident.cause);
  event.runbook = newest.monitor.runbook_url;
  return event;
}

// What is about no monitor.
Event Notice(const Message& message) {
  Event event;
  event.what = message.type;
  event.source = "tocsin";
  if (message.blind.has_value()) {
    event.severity = !message.blind->ended_at.has_value()  ? "critical"
                     : message.blind->unverified_count > 0 ? "warning"
                                                           : "info";
    event.key = absl::StrCat(message.type, "/", Timestamp(message.blind->started_at));
    return event;
  }
  if (message.notice.has_value()) event.source = message.notice->channel;
  if (message.digest.has_value()) event.source = message.digest->project;
  event.severity = message.type == kChannelTest ? "info" : "error";
  event.key = absl::StrCat(message.type, "/", event.source);
  return event;
}

Json DetailsOf(const Message& message, const std::string& summary) {
  Json details = Json::object();
  if (summary.size() > kSummaryBytes) details["summary"] = summary;
  if (message.digest.has_value()) return details;
  if (!message.events.empty()) AddEvent(details, message.events.back());
  if (message.skipped > 0) details["skipped"] = message.skipped;
  if (message.blind.has_value()) details["blind"] = BlindJson(*message.blind);
  if (message.notice.has_value()) details["channel"] = ChannelJson(*message.notice);
  return details;
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

bool TellsBeginningAndEnd(const Message& message) {
  return message.events.size() > 1 && !message.digest.has_value() &&
         message.events.back().type == EventType::kResolved;
}

std::string PagerDutyPayload(const Message& message, const std::string& routing_key,
                             PagerDutyEvent which) {
  const bool of_monitor = !message.events.empty() && !message.digest.has_value();
  Event event = of_monitor ? About(message.events.back()) : Notice(message);
  if (which != PagerDutyEvent::kNewest) event.resolves = which == PagerDutyEvent::kEnding;
  const std::string summary = Summarize(message);
  Json body;
  body["routing_key"] = routing_key;
  body["event_action"] = event.resolves ? "resolve" : "trigger";
  body["dedup_key"] = PlainText(event.key, kKeyBytes);
  body["client"] = "Tocsin";
  if (!event.resolves && !event.runbook.empty()) {
    Json link;
    link["href"] = event.runbook;
    link["text"] = "Runbook";
    body["links"] = Json::array({std::move(link)});
  }
  Json& payload = body["payload"];
  payload["summary"] = PlainText(summary, kSummaryBytes);
  payload["source"] = event.source;
  payload["severity"] = event.severity.empty() ? "error" : event.severity;
  payload["timestamp"] = Timestamp(message.occurred_at);
  SetText(payload, "component", std::string(LastPart(event.source)));
  SetText(payload, "group", ProjectOf(event.source));
  SetText(payload, "class", event.what);
  payload["custom_details"] = DetailsOf(message, summary);
  std::string text = Dump(body);
  if (text.size() <= kEventBytes) return text;
  payload.erase("custom_details");
  return Dump(body);
}

}  // namespace tocsin::notifier
