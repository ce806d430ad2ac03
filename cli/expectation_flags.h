// The flags that say when heartbeats of a monitor are expected, and what counts as a failure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "CLI/App.hpp"
#include "absl/status/status.h"
#include "tocsin/v1/monitor.pb.h"

namespace tocsin::cli {

struct ExpectationFlags {
  // Before each name: "--", or "--create-" of a key that makes monitors.
  std::string prefix = "--";
  std::string timeout{}, interval{}, cron{}, time_zone{}, early_tolerance{}, grace{};
  std::string value_min{}, value_max{}, max_run_duration{}, reminder_interval{};
  int32_t failure_threshold = 0;
  int32_t recovery_threshold = 0;
};

// Adds them. `whose` begins the help of each, e.g. "Of monitors that it makes: "; `flags` must
// outlive `app`.
void AddExpectationFlags(CLI::App& app, ExpectationFlags& flags, const std::string& whose = "");

// The kinds of schedule.
enum class ScheduleKind { kHeartbeat, kCron };

// What the given flags say of the schedule.
enum class ScheduleFlags { kNone, kOfHeartbeat, kOfCron, kOfEither };
ScheduleFlags GivenOf(const CLI::App& app, const ExpectationFlags& flags);

// INVALID_ARGUMENT, which names the flags, when flags of both kinds are given; and, where a
// schedule is `required`, when neither a timeout nor a cron expression is.
absl::Status CheckScheduleFlags(const CLI::App& app, const ExpectationFlags& flags, bool required);

// INVALID_ARGUMENT for a grace of 0 with a cron schedule, which would silently be the usual one.
absl::Status CheckGrace(const ExpectationFlags& flags, const v1::Schedule& schedule);

// Writes what was given to `monitor`; the paths of the fields that it wrote. `kind` is that of the
// schedule which a grace belongs to.
std::vector<std::string> ApplyExpectations(const CLI::App& app, const ExpectationFlags& flags,
                                           ScheduleKind kind, v1::Monitor& monitor);

}  // namespace tocsin::cli
