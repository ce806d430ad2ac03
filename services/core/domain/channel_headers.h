// Headers that a channel's messages carry beside those of the product: what a receiver behind a
// proxy, or one that checks no signature, asks for. Their values are secrets.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "services/core/domain/errors.h"

namespace tocsin::core {

struct Channel;

// Values by name, as they were given; the names of a channel differ in more than case.
using ChannelHeaders = std::map<std::string, std::string>;

// What reads show in place of a value. In an update it stands for the value that is stored.
inline constexpr std::string_view kMaskedHeader = "***";

inline constexpr size_t kMaxChannelHeaders = 16;
inline constexpr size_t kMaxHeaderNameBytes = 64;
inline constexpr size_t kMaxHeaderValueBytes = 4096;

// The same names, with no value that was given.
ChannelHeaders MaskHeaders(const ChannelHeaders& headers);

// Faults below `field` ("channel.headers"), which repeat no value: names that are none (RFC 9110)
// or that messages use themselves, values that no line of a request can hold, too many of them. A
// masked value is a fault, too: one that is to be kept was put in its place before (KeepHeaders).
void ValidateHeaders(const ChannelHeaders& headers, std::string_view field, FieldFaults& faults);

// Puts what `stored` has in the place of masked values of `updated`. `given`: whether the update
// names the headers at all; otherwise all of them are those that are stored. INVALID_ARGUMENT when
// a stored value would go to another host than it was given for, since whoever may change a URL is
// not to learn it; UNAVAILABLE when it does not open here.
absl::Status KeepHeaders(const Channel& stored, bool given, Channel& updated);

}  // namespace tocsin::core
