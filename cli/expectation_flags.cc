// The flags that say when heartbeats of a monitor are expected, and what counts as a failure.
#include "cli/expectation_flags.h"

#include <cmath>
#include <initializer_list>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/values.h"

namespace tocsin::cli {
namespace {

constexpr char kNone[] = "none";

std::string BoundFault(const std::string& text) {
  double number = 0;
  if (text == kNone || (absl::SimpleAtod(text, &number) && std::isfinite(number))) return "";
  return absl::StrCat("\"", text, "\" is no number; write e.g. 90, -0.5 or none");
}

// A number or none.
void AddBound(CLI::App& app, const std::string& flag, std::string& value, const std::string& help) {
  app.add_option(flag, value, help)->check(CLI::Validator(BoundFault, "NUMBER"));
}

// Of a value that passed; false: none.
bool ReadBound(const std::string& text, double& bound) {
  return text != kNone && absl::SimpleAtod(text, &bound);
}

// The first of these that was given, e.g. "--cron"; empty when none was.
std::string FirstGiven(const CLI::App& app, const ExpectationFlags& flags,
                       std::initializer_list<absl::string_view> names) {
  for (const absl::string_view name : names) {
    std::string flag = absl::StrCat(flags.prefix, name);
    if (app.count(flag) > 0) return flag;
  }
  return "";
}

std::string OfHeartbeat(const CLI::App& app, const ExpectationFlags& flags) {
  return FirstGiven(app, flags, {"timeout", "recommended-interval"});
}

std::string OfCron(const CLI::App& app, const ExpectationFlags& flags) {
  return FirstGiven(app, flags, {"cron", "time-zone", "early-tolerance"});
}

}  // namespace

void AddExpectationFlags(CLI::App& app, ExpectationFlags& flags, const std::string& whose) {
  const auto name = [&flags](const char* flag) { return absl::StrCat(flags.prefix, flag); };
  const auto help = [&whose](const char* text) { return absl::StrCat(whose, text); };
  AddDuration(app, name("timeout"), flags.timeout, help("Longest silence between heartbeats"));
  app.add_option(name("cron"), flags.cron,
                 help("Instead of a timeout: when the job runs, e.g. \"30 2 * * mon-fri\""));
  app.add_option(name("time-zone"), flags.time_zone,
                 help("Zone of the cron expression, e.g. Europe/Paris; UTC without"));
  AddDuration(app, name("grace"), flags.grace, help("How much later than expected is in time"));
  AddDuration(app, name("early-tolerance"), flags.early_tolerance,
              help("How much earlier than the cron expression says counts for it"));
  AddDuration(app, name("recommended-interval"), flags.interval,
              help("How often the job should push, with a timeout"));
  AddDuration(app, name("max-run-duration"), flags.max_run_duration,
              help("How long a run may take from its start to its end; 0s: any time"));
  app.add_option(name("failure-threshold"), flags.failure_threshold,
                 help("Failures in a row until it is down, 1 to 100"));
  app.add_option(name("recovery-threshold"), flags.recovery_threshold,
                 help("Successes in a row until it is up again, 1 to 100"));
  AddBound(app, name("value-min"), flags.value_min, help("A value below is a failure, or none"));
  AddBound(app, name("value-max"), flags.value_max, help("A value above is a failure, or none"));
  AddDuration(app, name("reminder-interval"), flags.reminder_interval,
              help("How often its channels are reminded while it is down; 0s: never"));
}

ScheduleFlags GivenOf(const CLI::App& app, const ExpectationFlags& flags) {
  if (!OfHeartbeat(app, flags).empty()) return ScheduleFlags::kOfHeartbeat;
  if (!OfCron(app, flags).empty()) return ScheduleFlags::kOfCron;
  return FirstGiven(app, flags, {"grace"}).empty() ? ScheduleFlags::kNone
                                                   : ScheduleFlags::kOfEither;
}

absl::Status CheckScheduleFlags(const CLI::App& app, const ExpectationFlags& flags, bool required) {
  const std::string heartbeat = OfHeartbeat(app, flags);
  const std::string cron = OfCron(app, flags);
  if (!heartbeat.empty() && !cron.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(cron, " and ", heartbeat,
                     " exclude each other: a monitor has either a timeout or a cron schedule"));
  }
  if (required && FirstGiven(app, flags, {"timeout", "cron"}).empty()) {
    return absl::InvalidArgumentError(
        cron.empty() ? absl::StrCat(flags.prefix, "timeout is required, or ", flags.prefix, "cron")
                     : absl::StrCat(flags.prefix, "cron is required with ", cron));
  }
  return absl::OkStatus();
}

absl::Status CheckGrace(const ExpectationFlags& flags, const v1::Schedule& schedule) {
  const bool none = schedule.cron().has_grace() && schedule.cron().grace().seconds() == 0 &&
                    schedule.cron().grace().nanos() == 0;
  if (!schedule.has_cron() || !none) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(flags.prefix, "grace: a cron schedule needs one above 0; without the flag 5m"));
}

std::vector<std::string> ApplyExpectations(const CLI::App& app, const ExpectationFlags& flags,
                                           ScheduleKind kind, v1::Monitor& monitor) {
  std::vector<std::string> paths;
  const auto given = [&](absl::string_view flag, const char* path) {
    if (app.count(absl::StrCat(flags.prefix, flag)) == 0) return false;
    paths.emplace_back(path);
    return true;
  };
  const auto heartbeat = [&monitor] { return monitor.mutable_schedule()->mutable_heartbeat(); };
  const auto cron = [&monitor] { return monitor.mutable_schedule()->mutable_cron(); };
  if (given("timeout", "schedule.heartbeat.timeout")) {
    *heartbeat()->mutable_timeout() = ToProto(flags.timeout);
  }
  if (given("recommended-interval", "schedule.heartbeat.recommended_interval")) {
    *heartbeat()->mutable_recommended_interval() = ToProto(flags.interval);
  }
  if (given("cron", "schedule.cron.expression")) cron()->set_expression(flags.cron);
  if (given("time-zone", "schedule.cron.time_zone")) cron()->set_time_zone(flags.time_zone);
  if (given("early-tolerance", "schedule.cron.early_tolerance")) {
    *cron()->mutable_early_tolerance() = ToProto(flags.early_tolerance);
  }
  if (kind == ScheduleKind::kCron) {
    if (given("grace", "schedule.cron.grace")) *cron()->mutable_grace() = ToProto(flags.grace);
  } else if (given("grace", "schedule.heartbeat.grace")) {
    *heartbeat()->mutable_grace() = ToProto(flags.grace);
  }
  if (given("max-run-duration", "max_run_duration")) {
    *monitor.mutable_max_run_duration() = ToProto(flags.max_run_duration);
  }
  if (given("failure-threshold", "failure_threshold")) {
    monitor.set_failure_threshold(flags.failure_threshold);
  }
  if (given("recovery-threshold", "recovery_threshold")) {
    monitor.set_recovery_threshold(flags.recovery_threshold);
  }
  double bound = 0;
  if (given("value-min", "value_min") && ReadBound(flags.value_min, bound)) {
    monitor.set_value_min(bound);
  }
  if (given("value-max", "value_max") && ReadBound(flags.value_max, bound)) {
    monitor.set_value_max(bound);
  }
  if (given("reminder-interval", "reminder_interval")) {
    *monitor.mutable_reminder_interval() = ToProto(flags.reminder_interval);
  }
  return paths;
}

}  // namespace tocsin::cli
