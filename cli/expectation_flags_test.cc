// Flags of schedules, thresholds, bounds and runs.
#include "cli/expectation_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"

namespace tocsin::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Parsed {
  std::string fault;  // of the command line; empty: none
  ScheduleFlags given = ScheduleFlags::kNone;
  std::vector<std::string> paths;
  v1::Monitor monitor;
};

Parsed Parse(const std::vector<std::string>& words, ScheduleKind kind, bool required = false,
             const std::string& prefix = "--") {
  CLI::App app;
  ExpectationFlags flags{.prefix = prefix};
  AddExpectationFlags(app, flags);
  Parsed parsed;
  std::vector<const char*> argv = {"tocsin"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  testing::internal::CaptureStderr();
  const int status = [&]() -> int {
    CLI11_PARSE(app, static_cast<int>(argv.size()), argv.data());
    return 0;
  }();
  parsed.fault = testing::internal::GetCapturedStderr();
  if (status != 0) return parsed;
  parsed.fault = std::string(CheckScheduleFlags(app, flags, required).message());
  parsed.given = GivenOf(app, flags);
  parsed.paths = ApplyExpectations(app, flags, kind, parsed.monitor);
  return parsed;
}

TEST(ExpectationFlagsTest, AGraceIsThatOfTheScheduleOfItsKind) {
  const Parsed heartbeat = Parse({"--grace", "5s"}, ScheduleKind::kHeartbeat);
  EXPECT_EQ(heartbeat.given, ScheduleFlags::kOfEither);
  EXPECT_THAT(heartbeat.paths, ElementsAre("schedule.heartbeat.grace"));
  EXPECT_EQ(heartbeat.monitor.schedule().heartbeat().grace().seconds(), 5);
  const Parsed cron = Parse({"--grace", "5s"}, ScheduleKind::kCron);
  EXPECT_THAT(cron.paths, ElementsAre("schedule.cron.grace"));
  EXPECT_EQ(cron.monitor.schedule().cron().grace().seconds(), 5);
}

TEST(ExpectationFlagsTest, AGraceOfNothingIsRefusedWithACronSchedule) {
  const auto check = [](const Parsed& parsed) {
    return std::string(CheckGrace({}, parsed.monitor.schedule()).message());
  };
  EXPECT_THAT(check(Parse({"--grace", "0s"}, ScheduleKind::kCron)),
              HasSubstr("--grace: a cron schedule needs one above 0"));
  EXPECT_EQ(check(Parse({"--grace", "1s"}, ScheduleKind::kCron)), "");
  EXPECT_EQ(check(Parse({"--cron", "@daily"}, ScheduleKind::kCron)), "");
  EXPECT_EQ(check(Parse({"--grace", "0s"}, ScheduleKind::kHeartbeat)), "");
}

TEST(ExpectationFlagsTest, APartOfACronScheduleIsOnePath) {
  const Parsed zone = Parse({"--time-zone", "Europe/Paris"}, ScheduleKind::kCron);
  EXPECT_EQ(zone.given, ScheduleFlags::kOfCron);
  EXPECT_THAT(zone.paths, ElementsAre("schedule.cron.time_zone"));
  EXPECT_EQ(zone.monitor.schedule().cron().time_zone(), "Europe/Paris");
}

TEST(ExpectationFlagsTest, ATimeoutAndACronExpressionExcludeEachOther) {
  EXPECT_EQ(
      Parse({"--timeout", "60s", "--cron", "@daily"}, ScheduleKind::kCron).fault,
      "--cron and --timeout exclude each other: a monitor has either a timeout or a cron schedule");
  EXPECT_THAT(
      Parse({"--recommended-interval", "60s", "--time-zone", "UTC"}, ScheduleKind::kCron).fault,
      HasSubstr("--time-zone and --recommended-interval exclude each other"));
}

TEST(ExpectationFlagsTest, AScheduleThatIsRequiredIsAskedFor) {
  EXPECT_EQ(Parse({}, ScheduleKind::kHeartbeat, true).fault, "--timeout is required, or --cron");
  EXPECT_EQ(Parse({"--time-zone", "UTC"}, ScheduleKind::kCron, true).fault,
            "--cron is required with --time-zone");
  EXPECT_EQ(Parse({"--cron", "@daily"}, ScheduleKind::kCron, true).fault, "");
  EXPECT_EQ(Parse({}, ScheduleKind::kHeartbeat).fault, "");
}

TEST(ExpectationFlagsTest, NoneTakesABoundAway) {
  const Parsed bounds =
      Parse({"--value-min", "none", "--value-max=-0.5"}, ScheduleKind::kHeartbeat);
  EXPECT_THAT(bounds.paths, ElementsAre("value_min", "value_max"));
  EXPECT_FALSE(bounds.monitor.has_value_min());
  EXPECT_EQ(bounds.monitor.value_max(), -0.5);
  EXPECT_EQ(Parse({"--value-min", "-5"}, ScheduleKind::kHeartbeat).monitor.value_min(), -5);
  for (const char* text : {"nan", "inf", "many", ""}) {
    EXPECT_THAT(Parse({"--value-max", text}, ScheduleKind::kHeartbeat).fault,
                HasSubstr("is no number; write e.g. 90, -0.5 or none"))
        << text;
  }
}

TEST(ExpectationFlagsTest, WhatIsNotGivenIsNotWritten) {
  const Parsed nothing = Parse({}, ScheduleKind::kHeartbeat);
  EXPECT_EQ(nothing.given, ScheduleFlags::kNone);
  EXPECT_THAT(nothing.paths, IsEmpty());
  EXPECT_FALSE(nothing.monitor.has_schedule());
}

TEST(ExpectationFlagsTest, NamesMayHaveAPrefix) {
  const Parsed key = Parse({"--create-cron", "@hourly", "--create-grace", "1m",
                            "--create-failure-threshold", "2", "--create-max-run-duration", "2h"},
                           ScheduleKind::kCron, true, "--create-");
  EXPECT_EQ(key.fault, "");
  EXPECT_EQ(key.monitor.schedule().cron().expression(), "@hourly");
  EXPECT_EQ(key.monitor.schedule().cron().grace().seconds(), 60);
  EXPECT_EQ(key.monitor.failure_threshold(), 2);
  EXPECT_EQ(key.monitor.max_run_duration().seconds(), 7200);
  EXPECT_EQ(Parse({}, ScheduleKind::kHeartbeat, true, "--create-").fault,
            "--create-timeout is required, or --create-cron");
}

}  // namespace
}  // namespace tocsin::cli
