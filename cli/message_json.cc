// Messages of the API inside of JSON that is ours.
#include "cli/message_json.h"

#include <google/protobuf/util/json_util.h>

#include <string>

namespace tocsin::cli {

nlohmann::ordered_json JsonOf(const google::protobuf::Message& message) {
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text).ok()) return nullptr;
  return nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
}

std::string DumpJson(const nlohmann::ordered_json& json, bool one_line) {
  return json.dump(one_line ? -1 : 1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace tocsin::cli
