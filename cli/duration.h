// Spans of time as people write and read them.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tocsin::cli {

// Reads "90s", "5m", "36h", "1h30m", and days before the rest: "2d", "1d12h". INVALID_ARGUMENT,
// with an example, for anything else, and for spans below zero or without an end.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);

// "2d", "25h", "1m30s", "0s": what ParseDuration reads; days only for whole ones, from two on.
std::string ShowDuration(absl::Duration duration);

// How long something has lasted, for people: its two largest units, "42s", "47m", "3h5m", "2d4h".
// Below zero, by clocks that differ, is "0s".
std::string ShowAge(absl::Duration age);

}  // namespace tocsin::cli
