// Percent-decoding that refuses what it cannot keep, for requests in which every byte counts. Pure.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace tocsin::gateway {

enum class Plus { kItself, kSpace };

// INVALID_ARGUMENT for a "%" without two hexadecimal digits, a NUL, or what is not UTF-8.
absl::StatusOr<std::string> DecodeStrictly(std::string_view in, Plus plus);

// Whether it is UTF-8 without a NUL.
bool IsCleanUtf8(std::string_view in);

}  // namespace tocsin::gateway
