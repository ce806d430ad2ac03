// What the five fields of a cron expression allow.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace tocsin::core {

// Longer expressions are refused.
inline constexpr size_t kMaxCronBytes = 256;

// Bit n stands for the value n; every field has at least one.
struct CronFields {
  uint64_t minutes = 0;   // 0 to 59
  uint64_t hours = 0;     // 0 to 23
  uint64_t days = 0;      // of the month, 1 to 31
  uint64_t months = 0;    // 1 to 12
  uint64_t weekdays = 0;  // 0 to 6, 0 is Sunday
  // A day needs to be in `days` or in `weekdays` if set, otherwise in both.
  bool either_day = false;

  friend bool operator==(const CronFields&, const CronFields&) = default;
};

// `text` without blanks around it. INVALID_ARGUMENT on the field "expression", with one fault for
// each of the five that is wrong; also for an expression that no day ever fulfils. What is returned
// fires at least once in 40 years. See cron.h for the syntax.
absl::StatusOr<CronFields> ParseCronFields(std::string_view text);

}  // namespace tocsin::core
