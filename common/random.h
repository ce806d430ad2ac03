// Unpredictable bytes, tokens and ids from OpenSSL's generator. All functions are thread safe.
#pragma once

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"

namespace tocsin {

// `n` bytes. Aborts when the operating system cannot provide randomness.
std::string RandomBytes(size_t n);

// A credential of 32 letters and digits (190 bits): safe in URLs, shells and file names, and
// selected whole by a double click.
std::string RandomToken();

// As RandomToken, of bytes that `more` gives, 32 at a time for the rounds 0, 1, …
std::string TokenOf(absl::FunctionRef<std::string(int round)> more);

// Never 0, so that 0 can mean "none". Cheap: about 10 ns.
uint64_t RandomId();

// Uniform in [0, 1): for jitter.
double RandomFraction();

}  // namespace tocsin
