// Looks at a Tocsin from here: asks core, a gateway and admin ports how they are.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/context.h"
#include "cli/doctor/finding.h"
#include "common/clock.h"

namespace tocsin::cli {

struct DoctorQuestion {
  std::string gateway;              // http(s)://HOST:PORT; empty: not looked at
  std::vector<std::string> admins;  // HOST:PORT of admin ports
  absl::Duration retention = absl::Hours(24 * 14);
};

// What a gateway is called, without a slash at its end. INVALID_ARGUMENT when it is no URL.
absl::StatusOr<std::string> GatewayUrl(const std::string& text);

// Changes nothing. Every question has the deadline of the context, and their number is bounded.
Findings Visit(const Context& context, const DoctorQuestion& question, const Clock& clock);

}  // namespace tocsin::cli
