// How the command line words the errors of core: with flags where the API has fields.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tocsin::cli {

// The call that failed.
struct CallFacts {
  std::string core;             // its address
  std::string timeout;          // how long an answer was waited for, e.g. "10s"
  std::string key_source = "";  // see Context::KeySource
};

// What people read for a status that is not OK: one line for each fault, each with a newline. A
// fault speaks of flags and of the words that they take, `editor` for ROLE_EDITOR. A core that
// cannot be reached is one line that says which address, why, and what to check.
std::string ErrorText(const absl::Status& status, const CallFacts& call);

// "--timeout" of "monitor.schedule.heartbeat.timeout", "ID" of "monitor_id"; a field that nobody
// can type stays as it is.
std::string FlagOf(absl::string_view field);

}  // namespace tocsin::cli
