// The JSON body of a Standard Webhooks message.
#include "services/notifier/channel/payload.h"

#include "services/notifier/channel/event_json.h"
#include "services/notifier/channel/summary.h"

namespace tocsin::notifier {
namespace {

Json EventsJson(const std::vector<EventFacts>& events) {
  Json all = Json::array();
  for (const EventFacts& event : events) {
    Json json;
    json["type"] = Word(event.type);
    AddEvent(json, event);
    all.push_back(std::move(json));
  }
  return all;
}

// What is told of one monitor: the newest event, and with several all of them, oldest first.
void AddEvents(Json& data, const Message& message) {
  AddEvent(data, message.events.back());
  if (message.skipped > 0) data["skipped"] = message.skipped;
  if (message.events.size() > 1) data["events"] = EventsJson(message.events);
}

// What is told of many monitors: how much of what, and the first events.
void AddDigest(Json& data, const DigestFacts& digest, const std::vector<EventFacts>& events) {
  SetText(data, "url", digest.url);
  int64_t total = 0;
  data["counts"] = Json::array();
  for (const DigestFacts::Count& count : digest.counts) {
    total += count.events;
    Json json;
    json["project"] = std::string(LastPart(digest.project));
    SetText(json, "type", Word(count.type));
    SetText(json, "cause", Word(count.cause));
    json["events"] = count.events;
    data["counts"].push_back(std::move(json));
  }
  data["total"] = total;
  data["events"] = EventsJson(events);
}

}  // namespace

std::string StandardWebhookPayload(const Message& message) {
  Json data;
  data["summary"] = Summarize(message);
  if (message.digest.has_value()) {
    data["occurredAt"] = Timestamp(message.occurred_at);
    AddDigest(data, *message.digest, message.events);
  } else if (!message.events.empty()) {
    SetText(data, "url", message.url);
    AddEvents(data, message);
  } else {
    data["occurredAt"] = Timestamp(message.occurred_at);
    if (message.blind.has_value()) data["blind"] = BlindJson(*message.blind);
    if (message.notice.has_value()) data["channel"] = ChannelJson(*message.notice);
  }
  Json body;
  body["type"] = message.type;
  body["timestamp"] = Timestamp(message.occurred_at);
  body["data"] = std::move(data);
  // Bytes that are not UTF-8 are replaced: the alternative is to throw.
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tocsin::notifier
