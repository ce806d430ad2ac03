// The name by which the log knows a request.
#pragma once

#include <string>
#include <string_view>

namespace tocsin::gateway {

inline constexpr size_t kMaxRequestId = 64;

// Whether it is fit to be repeated: 1 to 64 of letters, digits, "-", "_", ".".
bool IsFittingRequestId(std::string_view sent);

// The client's own X-Request-Id, if it is fit; else a new one.
std::string FittingRequestId(std::string_view sent);

}  // namespace tocsin::gateway
