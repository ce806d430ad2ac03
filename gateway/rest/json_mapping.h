// JSON → protobuf message, by protobuf's JSON mapping, naming every field that does not fit.
//
// protobuf's own parser stops at the first fault and knows its place only roughly; whoever writes
// requests by hand wants all of them, each with its field.
#pragma once

#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/status_details.h"

namespace tocsin::gateway {

// Fills `message`, whose path in the request is `path` (empty: it is the request). Names are those
// of the proto or camelCase; null is the same as absent. Unknown fields are faults.
void SetFromJson(const nlohmann::json& json, const std::string& path,
                 google::protobuf::Message& message, std::vector<FieldViolation>& violations);

// The paths of a field mask that say what `json`, a body for `type`, gives a value: those of its
// leaves; objects of maps and lists count as one. Unknown fields are left out.
std::vector<std::string> PathsOf(const nlohmann::json& json,
                                 const google::protobuf::Descriptor& type);

}  // namespace tocsin::gateway
