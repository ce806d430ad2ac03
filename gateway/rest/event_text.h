// Messages of a stream as server-sent events (https://html.spec.whatwg.org/#server-sent-events).
// Pure.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

namespace tocsin::gateway {

// The lines that begin a stream: how long a client waits before it connects again.
std::string EventStreamStart();

// One message. Its field `cursor`, if it has one, is the id, which a client that connects again
// sends as Last-Event-ID; the event is named after what the message holds, e.g. "alertEvent". A
// message with a cursor and nothing else moves the id and is no event.
std::string EventText(const google::protobuf::Message& message);

// The stream ends because of this: a problem, as one line of JSON.
std::string ErrorEvent(const std::string& problem_json);

// Says that the connection is alive, and nothing else.
std::string KeepAlive();

}  // namespace tocsin::gateway
