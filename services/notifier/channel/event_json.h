// What is known of events, as JSON: the part that payloads of several formats share.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "absl/time/time.h"
#include "services/notifier/channel/message.h"

namespace tocsin::notifier {

// Keeps the order in which keys were set, so that the bytes are the same every time.
using Json = nlohmann::ordered_json;

// RFC 3339 in UTC with milli- or microseconds.
std::string Timestamp(absl::Time time);

// The words of the enumerations, e.g. "missed_deadline"; empty: unknown.
std::string Word(EventType type);
std::string Word(Severity severity);
std::string Word(Cause cause);

// Sets `key` unless `value` is empty.
void SetText(Json& json, const char* key, const std::string& value);

// Adds what is known of one event to `json`, in camelCase; what is not known is left out.
void AddEvent(Json& json, const EventFacts& event);

Json BlindJson(const BlindFacts& blind);
Json ChannelJson(const ChannelNoticeFacts& notice);

}  // namespace tocsin::notifier
