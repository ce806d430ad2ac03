// Text from strangers made fit to store: percent-decoded, valid UTF-8, no NUL, bounded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tocsin::gateway {

// Replaces `out` by `in` decoded as application/x-www-form-urlencoded (WHATWG URL standard): "+" is
// a space, "%41" is "A"; a "%" without two hexadecimal digits stands for itself.
void DecodeForm(std::string_view in, std::string& out);

// The same for a part of a path, where "+" is itself.
void DecodePath(std::string_view in, std::string& out);

// Replaces `out` by `in` without NULs, with U+FFFD for each ill-formed sequence (Unicode 15, 3.9:
// substitution of maximal subparts), cut before the character that would go beyond `max_bytes`.
void CleanUtf8(std::string_view in, size_t max_bytes, std::string& out);

// `in` quoted as a JSON string; ill-formed UTF-8 is replaced.
std::string JsonString(std::string_view in);

// Without the ASCII whitespace around it.
std::string_view TrimSpace(std::string_view in);

}  // namespace tocsin::gateway
