// What a job put out, to be sent with its heartbeat.
#pragma once

#include <istream>
#include <string>

#include "absl/status/statusor.h"

namespace tocsin::cli {

// Core keeps as many.
inline constexpr size_t kMaxOutputBytes = 10'000;

// The last `kMaxOutputBytes` of a file, or of standard input for "-", as they are. Reads to its end
// and never holds much more. INVALID_ARGUMENT, with the name, when it cannot be read.
absl::StatusOr<std::string> ReadOutput(const std::string& path);

// The same of a stream.
std::string ReadTail(std::istream& in);

}  // namespace tocsin::cli
