// From an HTTP request to the message of the method that it means. Pure.
#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/rest/route_table.h"

namespace tocsin::gateway {

struct RestInput {
  RequestPath path;
  std::string_view query;  // after the "?", still encoded
  std::string_view content_type;
  std::string_view body;
};

// Whether users cannot set a field: those that the comment of the proto calls "Output only".
using OutputOnly = std::function<bool(const google::protobuf::FieldDescriptor&)>;

// The request, from path, query and body. INVALID_ARGUMENT has a reason: INVALID_FIELD with a
// violation for each faulty field or parameter, by its name in JSON; MALFORMED_JSON, JSON_TOO_DEEP,
// BODY_NOT_AN_OBJECT or BODY_NOT_TAKEN of a body; MALFORMED_PATH.
//
// A PATCH whose request has an `update_mask` that is not given changes the fields that its body
// gives (google.aip.dev/134), also those given as "", 0 or null; what is output only is left out,
// so that what was read can be sent back.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> MapRequest(
    const RestBinding& binding, const RestInput& input, const OutputOnly& output_only);

// Whether the Content-Type names JSON; absent counts as JSON.
bool IsJsonType(std::string_view content_type);

}  // namespace tocsin::gateway
