// Server-sent events.
#include "gateway/rest/event_text.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <vector>

#include "absl/strings/str_cat.h"

namespace tocsin::gateway {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kCursor[] = "cursor";

// "AlertEvent" → "alertEvent"
std::string EventName(const Message& message, const std::vector<const FieldDescriptor*>& set) {
  for (const FieldDescriptor* field : set) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_repeated()) continue;
    std::string name = field->message_type()->name();
    name[0] = static_cast<char>(name[0] | 0x20);
    return name;
  }
  std::string name = message.GetDescriptor()->name();
  name[0] = static_cast<char>(name[0] | 0x20);
  return name;
}

}  // namespace

std::string EventStreamStart() { return "retry: 2000\n\n"; }

std::string EventText(const Message& message) {
  std::vector<const FieldDescriptor*> set;
  message.GetReflection()->ListFields(message, &set);
  std::string text;
  const FieldDescriptor* cursor = message.GetDescriptor()->FindFieldByName(kCursor);
  if (cursor != nullptr && cursor->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    const std::string id = message.GetReflection()->GetString(message, cursor);
    // A line's end would begin another field; the standard has no way to write one.
    if (id.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos) {
      text = absl::StrCat("id: ", id, "\n");
    }
    if (set.empty() || (set.size() == 1 && set.front() == cursor)) return text + "\n";
  }
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json).ok()) return "";
  return absl::StrCat(text, "event: ", EventName(message, set), "\ndata: ", json, "\n\n");
}

std::string ErrorEvent(const std::string& problem_json) {
  return absl::StrCat("event: error\ndata: ", problem_json, "\n\n");
}

std::string KeepAlive() { return ": keep-alive\n\n"; }

}  // namespace tocsin::gateway
