// What is generated from the comments of the contract when the gateway is built (tocsin-describe).
#pragma once

#include <string_view>

#include "gateway/rest/request_mapping.h"

namespace tocsin::gateway {

// The OpenAPI document, and the page for people.
std::string_view ReferenceOpenApi();
std::string_view ReferenceHtml();

// Whether the comment of a field begins with "Output only".
bool IsOutputOnly(const google::protobuf::FieldDescriptor& field);

}  // namespace tocsin::gateway
