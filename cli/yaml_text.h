// What JSON says, as YAML. Pure.
#pragma once

#include <string>

#include "nlohmann/json.hpp"

namespace tocsin::cli {

// One document in block style, with the names in their order; every line ends with a newline. Text
// that YAML would read as anything else is quoted.
std::string ToYaml(const nlohmann::ordered_json& json);

// The same of a text that is JSON; as it is when it is none.
std::string JsonToYaml(const std::string& json);

}  // namespace tocsin::cli
