// What is pushed about a run, and what the answer to it means. Pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/exec/ending.h"

namespace tocsin::cli {

inline constexpr size_t kMaxRunIdBytes = 64;

// Each is the query of a push.
std::string StartQuery(absl::string_view run_id);
// `took`: how long the command ran; told in words unless Tocsin knows the start (`start_known`) and
// so the duration. Otherwise an ordinary end has no message, so that an alert quotes the output.
std::string EndQuery(absl::string_view run_id, const Ending& ending, absl::string_view program,
                     absl::Duration took, bool start_known);

// Of one attempt.
struct Answer {
  int status = 0;                                     // 0: there was none
  std::string trouble{};                              // then: why, for people; free of secrets
  bool hopeless = false;                              // then: it will be so the next time
  absl::Duration retry_after = absl::ZeroDuration();  // as the answer asks
  std::string said{};                                 // what it says is wrong; one line
};

bool IsRecorded(const Answer& answer);
// Whether another attempt may do better.
bool CanBeCured(const Answer& answer);
// What to wait before the next attempt, after `tries` of them; `fraction`, in [0, 1), spreads those
// who all failed at once.
absl::Duration PauseAfter(const Answer& answer, int tries, double fraction);
// Why a push was not recorded.
std::string WhyNot(const Answer& answer);

}  // namespace tocsin::cli
