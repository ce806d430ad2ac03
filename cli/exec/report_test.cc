// The pushes of a run, and when one is tried again.
#include "cli/exec/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace tocsin::cli {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kTook = absl::Milliseconds(83'456);

std::string End(const Ending& ending, bool start_known = true) {
  return EndQuery("r 1", ending, "backup.sh", kTook, start_known);
}

TEST(ReportTest, TheStartNamesTheRun) { EXPECT_EQ(StartQuery("r 1"), "status=start&run=r%201"); }

TEST(ReportTest, AnOrdinaryEndLetsTheOutputSpeak) {
  EXPECT_EQ(End({Ending::Kind::kExited, 0}), "status=up&exit_status=0&run=r%201");
  EXPECT_EQ(End({Ending::Kind::kExited, 3}), "status=down&exit_status=3&run=r%201");
}

TEST(ReportTest, TheDurationIsToldWhereTocsinCannotKnowIt) {
  EXPECT_EQ(End({Ending::Kind::kExited, 3}, false),
            "status=down&exit_status=3&run=r%201&msg=took%201m23s");
  EXPECT_THAT(EndQuery("r", {Ending::Kind::kExited, 0}, "a", absl::Milliseconds(1234), false),
              HasSubstr("msg=took%201.234s"));
}

TEST(ReportTest, WhatKilledItOrKeptItFromStartingIsTold) {
  EXPECT_EQ(End({Ending::Kind::kKilled, SIGKILL}),
            "status=down&exit_status=137&run=r%201&msg=killed%20by%20SIGKILL");
  EXPECT_EQ(End(Ending::OfError(ENOENT)),
            "status=down&exit_status=127&run=r%201&msg=backup.sh%3A%20command%20not%20found");
  EXPECT_THAT(End({Ending::Kind::kKilled, SIGKILL}, false), HasSubstr("SIGKILL%2C%20took%20"));
}

TEST(ReportTest, OnlyWhatARetryCanCureIsTriedAgain) {
  for (const int status : {408, 425, 429, 500, 502, 503, 504}) {
    EXPECT_TRUE(CanBeCured({.status = status})) << status;
    EXPECT_FALSE(IsRecorded({.status = status})) << status;
  }
  for (const int status : {301, 400, 401, 403, 404, 413}) {
    EXPECT_FALSE(CanBeCured({.status = status})) << status;
  }
  for (const int status : {200, 201, 204}) EXPECT_TRUE(IsRecorded({.status = status})) << status;
  EXPECT_TRUE(CanBeCured({.trouble = "connection refused"}));
  EXPECT_FALSE(CanBeCured({.trouble = "the certificate is another's", .hopeless = true}));
}

TEST(ReportTest, PausesGrowAreBoundedAndSpreadAndNoShorterThanAsked) {
  const Answer busy = {.status = 503};
  EXPECT_EQ(PauseAfter(busy, 1, 0), absl::Milliseconds(100));
  EXPECT_EQ(PauseAfter(busy, 2, 0), absl::Milliseconds(200));
  EXPECT_EQ(PauseAfter(busy, 2, 0.5), absl::Milliseconds(300));
  EXPECT_EQ(PauseAfter(busy, 1000, 0), absl::Seconds(1));
  EXPECT_EQ(PauseAfter({.status = 429, .retry_after = absl::Seconds(7)}, 1, 0), absl::Seconds(7));
}

TEST(ReportTest, EveryRefusalIsAReasonForPeople) {
  EXPECT_EQ(WhyNot({.status = 404}),
            "no monitor has this push URL, or it is a push key's and --monitor is missing or wrong "
            "(HTTP 404)");
  EXPECT_THAT(WhyNot({.status = 403}), HasSubstr("does not allow it"));
  EXPECT_THAT(WhyNot({.status = 429}), HasSubstr("too often"));
  EXPECT_THAT(WhyNot({.status = 302}), HasSubstr("redirect"));
  EXPECT_THAT(WhyNot({.status = 503}), HasSubstr("HTTP 503"));
  EXPECT_THAT(WhyNot({.status = 400}), HasSubstr("HTTP 400"));
  EXPECT_EQ(WhyNot({.trouble = "connection refused"}), "connection refused");
}

}  // namespace
}  // namespace tocsin::cli
