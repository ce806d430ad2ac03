// Messages of the API inside of JSON that is ours.
#pragma once

#include <google/protobuf/message.h>

#include "nlohmann/json.hpp"

namespace tocsin::cli {

// As `-o json` prints it.
nlohmann::ordered_json JsonOf(const google::protobuf::Message& message);

// One line, or with indentation. Bytes that are no UTF-8 are replaced.
std::string DumpJson(const nlohmann::ordered_json& json, bool one_line);

}  // namespace tocsin::cli
