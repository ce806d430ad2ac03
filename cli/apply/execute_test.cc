// Does what a plan says.
#include "cli/apply/execute.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "cli/apply/report.h"
#include "cli/apply/testing/fake_collection.h"

namespace tocsin::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ExecuteTest : public testing::Test {
 protected:
  Execution Run(absl::string_view text, const std::string& set = "", bool prune = false) {
    Faults faults;
    core_.Declare(text, faults);
    absl::StatusOr<Plan> plan = MakePlan(core_.declared, core_.collections, set, prune, faults);
    EXPECT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ(faults.ToString(), "");
    plan_ = *std::move(plan);
    return Execute(plan_, core_.collections, tokens_);
  }

  FakeCore core_;
  TokensFile tokens_;
  Plan plan_;
};

TEST_F(ExecuteTest, ChannelsThatFallBackToEachOtherAreMadeBeforeTheyDo) {
  const Execution done =
      Run("monitors: [{id: m, channels: [a]}]\n"
          "channels: [{id: a, fallbackChannel: b}, {id: b, fallbackChannel: a}]");
  EXPECT_THAT(done.outcomes, testing::Each(absl::OkStatus()));
  EXPECT_EQ(core_.channels->calls().size(), 4U);
  EXPECT_EQ((*core_.channels)["projects/p/channels/a"].fallback_channel(), "projects/p/channels/b");
  EXPECT_EQ((*core_.channels)["projects/p/channels/b"].fallback_channel(), "projects/p/channels/a");
  EXPECT_THAT((*core_.monitors)["projects/p/monitors/m"].channels(),
              ElementsAre("projects/p/channels/a"));
}

TEST_F(ExecuteTest, OneThatFailsDoesNotStopTheOthers) {
  core_.monitors->answers["projects/p/monitors/b"] = absl::AbortedError("changed meanwhile");
  const Execution done = Run("monitors: [{id: a}, {id: b}, {id: c}]");
  EXPECT_EQ(Failures(done), 1U);
  EXPECT_EQ(done.outcomes[1], absl::AbortedError("changed meanwhile"));
  EXPECT_TRUE(core_.monitors->Has("projects/p/monitors/c"));
}

TEST_F(ExecuteTest, NothingIsBegunAnyMoreWhenCoreIsAway) {
  std::string text = "channels: [{id: c, url: 'https://x'}]\nmonitors:\n";
  for (int i = 0; i < 100; ++i) absl::StrAppend(&text, "- id: m", i, "\n");
  core_.channels->answers["projects/p/channels/c"] = absl::UnavailableError("away");
  const Execution done = Run(text);
  EXPECT_TRUE(absl::IsUnavailable(done.outcomes[0]));
  EXPECT_THAT(core_.monitors->calls(), IsEmpty());
  EXPECT_TRUE(absl::IsCancelled(done.outcomes[100]));
  EXPECT_EQ(Failures(done), 101U);
}

TEST_F(ExecuteTest, WhatIsBroughtBackIsChangedBeforeItIsWatched) {
  v1::Monitor& deleted = (*core_.monitors)["projects/p/monitors/m"];
  deleted.mutable_delete_time()->set_seconds(1);
  Run("monitors: [{id: m, owner: x}]");
  EXPECT_THAT(core_.monitors->calls(),
              ElementsAre("undelete projects/p/monitors/m", "update projects/p/monitors/m",
                          "resume projects/p/monitors/m"));
}

TEST_F(ExecuteTest, DeletionsComeLast) {
  (*(*core_.monitors)["projects/p/monitors/old"].mutable_labels())[kSetLabel] = "main";
  Run("monitors: [{id: new}]", "main", true);
  EXPECT_THAT(core_.monitors->calls(),
              ElementsAre("create projects/p/monitors/new", "delete projects/p/monitors/old"));
}

TEST_F(ExecuteTest, SecretsThatNobodySeesAreCounted) {
  const Execution done =
      Run("monitors: [{id: a}, {id: b, pushTokenSha256: x}]\n"
          "channels: [{id: c, url: 'https://x'}, {id: d, url: 'https://x', webhookSecret: y}]");
  EXPECT_EQ(done.unseen_monitors, 1U);
  EXPECT_THAT(done.unseen_channels, ElementsAre("c"));
}

TEST_F(ExecuteTest, SecretsGoToTheFileOfTokens) {
  const std::string path = testing::TempDir() + "/execute_tokens";
  std::remove(path.c_str());
  ASSERT_TRUE(tokens_.Open(path).ok());
  const Execution done = Run("monitors: [{id: a}, {id: b, pushTokenSha256: x}]");
  EXPECT_EQ(done.unseen_monitors, 0U);
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), "projects/p/monitors/a\tsecret of a\n");
}

}  // namespace
}  // namespace tocsin::cli
