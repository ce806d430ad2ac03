// SHA-256, for hashes of tokens, and a comparison that takes the same time whatever differs.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "common/any_string_view.h"

namespace tocsin {

using Sha256Digest = std::array<uint8_t, 32>;

// Thread safe.
Sha256Digest Sha256(AnyStringView bytes);

// The digest as 32 raw bytes in a string: what maps and SQL parameters want.
std::string Sha256Bytes(AnyStringView bytes);

// Lower-case hexadecimal.
std::string Hex(AnyStringView bytes);

// Compares secrets. The lengths are not secret.
bool ConstantTimeEqual(AnyStringView a, AnyStringView b);

}  // namespace tocsin
