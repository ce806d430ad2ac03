// What jobs say, made fit to be stored.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tocsin::core {

// The longest heartbeat message, in bytes.
inline constexpr size_t kMaxMessageBytes = 4096;

// The text as UTF-8 that PostgreSQL can keep: NUL is dropped, each maximal part that is no UTF-8
// becomes U+FFFD, and the result is cut between two characters to at most `max_bytes`.
std::string CleanText(std::string_view raw, size_t max_bytes = kMaxMessageBytes);

// Whether the text is well-formed UTF-8 without NUL.
bool IsCleanText(std::string_view text);

}  // namespace tocsin::core
