// What a mistyped command line answers.
#include "cli/usage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "absl/strings/str_cat.h"
#include "cli/values.h"

namespace tocsin::cli {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class UsageTest : public ::testing::Test {
 protected:
  UsageTest() {
    app_.fallthrough();
    app_.require_subcommand(1);
    CLI::App* monitor = app_.add_subcommand("monitor", "Monitors");
    monitor->require_subcommand(1);
    monitor->add_subcommand("create", "Make one");
    monitor->add_subcommand("delete", "Delete one");
    CLI::App* push = app_.add_subcommand("push", "Push");
    push->add_option("TOKEN", token_, "Push token")->envname("TOCSIN_TEST_TOKEN")->required();
    push->add_option("--message", message_, "Text");
    push->add_option("--severity", message_)->check(CLI::IsMember({"critical", "error"}));
    push->add_option("--limit", limit_)->check(CountFromZero());
    app_.add_option("--project", message_, "Project");
    app_.failure_message(
        [](const CLI::App* app, const CLI::Error& error) { return UsageText(*app, error); });
  }

  // What is printed to people when these words are typed.
  std::string Say(std::vector<std::string> words) {
    std::vector<const char*> argv = {"tocsin"};
    for (const std::string& word : words) argv.push_back(word.c_str());
    testing::internal::CaptureStderr();
    [&]() -> int {
      CLI11_PARSE(app_, static_cast<int>(argv.size()), argv.data());
      return 0;
    }();
    return testing::internal::GetCapturedStderr();
  }

  std::string token_, message_;
  int limit_ = 0;
  CLI::App app_{"", "tocsin"};
};

TEST_F(UsageTest, AWrongWordIsNamedWithTheAcceptedOnesAndTheNearest) {
  EXPECT_EQ(Say({"monitor", "craete"}),
            "tocsin: \"craete\" is no command of \"tocsin monitor\"; did you mean \"create\"? "
            "Accepted: create, delete\nSee: tocsin help monitor\n");
  EXPECT_EQ(Say({"monitr", "create"}),
            "tocsin: \"monitr\" is no command of \"tocsin\"; did you mean \"monitor\"? "
            "Accepted: monitor, push\nSee: tocsin help\n");
  EXPECT_THAT(Say({"monitor", "explode"}),
              StartsWith("tocsin: \"explode\" is no command of \"tocsin monitor\"; accepted: "));
}

TEST_F(UsageTest, AWrongValueIsNamedWithTheAcceptedOnesAndTheNearest) {
  EXPECT_EQ(Say({"push", "t", "--severity", "critcal"}),
            "tocsin: --severity: \"critcal\" is not accepted; did you mean \"critical\"? "
            "Accepted: critical, error\nSee: tocsin help push\n");
  EXPECT_THAT(
      Say({"push", "t", "--severity", "x: y"}),
      StartsWith("tocsin: --severity: \"x: y\" is not accepted; accepted: critical, error"));
  for (const char* limit : {"-1", "abc", "1.5", "5 ", "3000000000"}) {
    EXPECT_EQ(Say({"push", "t", "--limit", limit}),
              absl::StrCat("tocsin: --limit: \"", limit,
                           "\" is not accepted; accepted: whole numbers from 0 to 2147483647\n"
                           "See: tocsin help push\n"));
  }
}

TEST_F(UsageTest, AMissingCommandListsTheAcceptedOnes) {
  EXPECT_THAT(Say({"monitor"}), HasSubstr("accepted: create, delete\n"));
}

TEST_F(UsageTest, TheNameAloneIsAnsweredWithTheHelp) {
  EXPECT_THAT(Say({}), AllOf(HasSubstr("Usage: tocsin"), HasSubstr("  monitor "),
                             EndsWith("\ntocsin: it needs a command, one of those above\n")));
  EXPECT_THAT(Say({"--project", "x"}), HasSubstr("Usage: tocsin"));
}

TEST_F(UsageTest, AnUnknownFlagIsNoCommand) {
  EXPECT_THAT(Say({"monitor", "--all"}), HasSubstr("\"--all\" is no flag of \"tocsin monitor\""));
}

TEST_F(UsageTest, AMistypedFlagIsNamedWithTheNearest) {
  EXPECT_THAT(Say({"push", "t", "--mesage", "x"}),
              StartsWith("tocsin: \"--mesage\" is no flag of \"tocsin push\"; did you mean "
                         "\"--message\"?\n"));
  EXPECT_THAT(Say({"push", "t", "--mesage=x"}), HasSubstr("did you mean \"--message\"?"));
  EXPECT_THAT(Say({"push", "t", "--zzz"}),
              StartsWith("tocsin: \"--zzz\" is no flag of \"tocsin push\"\n"));
}

TEST_F(UsageTest, FlagsOfAllCommandsAreOfferedToo) {
  EXPECT_THAT(Say({"push", "t", "--projcet", "x"}), HasSubstr("did you mean \"--project\"?"));
}

TEST_F(UsageTest, AWordTooManyIsNamed) {
  EXPECT_THAT(Say({"push", "t", "u"}),
              StartsWith("tocsin: \"u\" is one word too many for \"tocsin push\"\n"));
}

TEST_F(UsageTest, WhatTheEnvironmentCanSayIsNamed) {
  EXPECT_EQ(Say({"push"}),
            "tocsin: TOKEN is required (or TOCSIN_TEST_TOKEN in the environment)\n"
            "See: tocsin help push\n");
}

TEST_F(UsageTest, HelpIsThatOfTheNamedCommand) {
  EXPECT_THAT(*HelpText(app_, {"monitor", "create"}), HasSubstr("Usage: tocsin monitor create"));
  EXPECT_THAT(*HelpText(app_, {}), HasSubstr("monitor"));
  EXPECT_THAT(std::string(HelpText(app_, {"monitr"}).status().message()), HasSubstr("monitor"));
  EXPECT_FALSE(HelpText(app_, {"push", "x"}).ok());
}

TEST_F(UsageTest, OnlyAWordThatIsNearIsOffered) {
  EXPECT_EQ(Nearest("mon", {"monitor", "push"}), "monitor");
  EXPECT_EQ(Nearest("psuh", {"monitor", "push"}), "push");
  EXPECT_EQ(Nearest("x", {"monitor", "push"}), "");
  EXPECT_EQ(Nearest("delivery", {"monitor", "push"}), "");
}

}  // namespace
}  // namespace tocsin::cli
