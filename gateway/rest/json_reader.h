// JSON text as a value, or the place at which it stops being JSON. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "absl/status/statusor.h"

namespace tocsin::gateway {

// INVALID_ARGUMENT, with line and column, for what is no JSON (RFC 8259), is nested deeper than 64
// levels, has a name twice in one object, or strings that are no UTF-8 or have a NUL. Its reason is
// MALFORMED_JSON, of what is nested too deep JSON_TOO_DEEP.
absl::StatusOr<nlohmann::json> ReadJson(std::string_view text);

}  // namespace tocsin::gateway
