// What is to be done so that core has what files declare.
#include "cli/apply/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/apply/testing/fake_collection.h"
#include "common/status_details.h"

namespace tocsin::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PlanTest : public testing::Test {
 protected:
  // The plan for a file; "+ a" for each step that changes something.
  std::vector<std::string> Steps(absl::string_view text, const std::string& set = "",
                                 bool prune = false) {
    Faults faults;
    core_.Declare(text, faults);
    absl::StatusOr<Plan> plan = MakePlan(core_.declared, core_.collections, set, prune, faults);
    told_ = faults.ToString();
    status_ = plan.status();
    std::vector<std::string> steps;
    if (!plan.ok()) return steps;
    plan_ = *std::move(plan);
    for (const Step& step : plan_.steps) {
      constexpr const char* kSigns[] = {"=", "+", "^", "~", "-"};
      steps.push_back(std::string(kSigns[static_cast<int>(step.action)]) + " " +
                      step.name.substr(step.name.rfind('/') + 1));
    }
    return steps;
  }

  v1::Monitor& Existing(const std::string& id) {
    v1::Monitor& monitor = (*core_.monitors)["projects/p/monitors/" + id];
    monitor.set_arm_on_create(true);
    monitor.set_etag("1f");
    return monitor;
  }

  FakeCore core_;
  Plan plan_;
  std::string told_;
  absl::Status status_;
};

TEST_F(PlanTest, WhatIsAsDeclaredIsLeftAlone) {
  Existing("same").set_owner("x");
  Existing("other").set_owner("y");
  EXPECT_THAT(Steps("monitors: [{id: same, owner: x}, {id: other, owner: x}, {id: new}]"),
              ElementsAre("= same", "~ other", "+ new"));
  EXPECT_EQ(told_, "");
  EXPECT_THAT(plan_.steps[1].changes, ElementsAre(FieldChange{"owner", "y", "x"}));
  EXPECT_EQ(plan_.steps[1].etag, "1f");
  EXPECT_THAT(core_.monitors->calls(), IsEmpty());
}

TEST_F(PlanTest, WhatAFileLeavesOutHasItsDefault) {
  Existing("a").set_failure_threshold(3);
  EXPECT_THAT(Steps("monitors: [{id: a}]"), ElementsAre("~ a"));
}

TEST_F(PlanTest, AUrlThatAFileLeavesOutIsKeptAndOneThatDiffersUnseenIsNoticed) {
  (*core_.channels)["projects/p/channels/c"].set_url("https://x/1");
  EXPECT_THAT(Steps("channels: [{id: c}]"), ElementsAre("= c"));
  EXPECT_THAT(Steps("channels: [{id: c, url: 'https://x/1'}]"), ElementsAre("= c"));
  EXPECT_THAT(Steps("channels: [{id: c, url: 'https://x/2'}]"), ElementsAre("~ c"));
}

TEST_F(PlanTest, HeadersThatAFileLeavesOutAreKeptAndOnesThatDifferAreNoticed) {
  auto& channel = (*core_.channels)["projects/p/channels/c"];
  channel.set_url("https://x/1");
  (*channel.mutable_headers())["X-Key"] = "a";
  EXPECT_THAT(Steps("channels: [{id: c}]"), ElementsAre("= c"));
  EXPECT_THAT(Steps("channels: [{id: c, headers: {X-Key: a}}]"), ElementsAre("= c"));
  EXPECT_THAT(Steps("channels: [{id: c, headers: {X-Key: b}}]"), ElementsAre("~ c"));
  EXPECT_THAT(Steps("channels: [{id: c, headers: {}}]"), ElementsAre("~ c"));
}

TEST_F(PlanTest, WhatIsDeclaredTogetherMayReferToEachOther) {
  EXPECT_THAT(Steps("monitors: [{id: m, channels: [a]}]\n"
                    "channels: [{id: a, fallbackChannel: b}, {id: b, fallbackChannel: a}]"),
              testing::UnorderedElementsAre("+ m", "+ a", "+ b"));
  EXPECT_EQ(told_, "");
  EXPECT_THAT(Steps("monitors: [{id: m, channels: [nowhere]}]"), ElementsAre(testing::_));
  EXPECT_EQ(told_,
            "a.yaml:1:30: channels: projects/p/channels/nowhere does not exist; accepted: what "
            "exists in the project, or is declared (monitor p/m)\n");
}

TEST_F(PlanTest, WhatCoreRefusesIsAFaultAtItsField) {
  absl::Status refused = absl::InvalidArgumentError("no");
  AddFieldViolation(refused, "monitor.schedule.cron.expression", "it is bad; accepted: good ones");
  AddFieldViolation(refused, "push_token_sha256", "it is no SHA-256");
  core_.monitors->trial_answers["projects/p/monitors/m"] = refused;
  Steps("monitors:\n- id: m\n  pushTokenSha256: x\n  schedule:\n    cron: {grace: 1h}\n");
  EXPECT_EQ(
      told_,
      "a.yaml:3:20: pushTokenSha256: it is no SHA-256 (monitor p/m)\n"
      "a.yaml:5:11: schedule.cron.expression: it is bad; accepted: good ones (monitor p/m)\n");
}

TEST_F(PlanTest, ACoreThatIsAwayEndsThePlan) {
  core_.monitors->trial_answers["projects/p/monitors/m"] = absl::UnavailableError("away");
  Steps("monitors: [{id: m}]");
  EXPECT_TRUE(absl::IsUnavailable(status_)) << status_;
  EXPECT_EQ(told_, "");
}

TEST_F(PlanTest, WhatIsDeletedIsBroughtBackIntoTheSetThatItWasIn) {
  v1::Monitor& deleted = Existing("m");
  deleted.mutable_delete_time()->set_seconds(1);
  (*deleted.mutable_labels())[kSetLabel] = "main";
  EXPECT_THAT(Steps("monitors: [{id: m}]"), ElementsAre("^ m"));
  const auto& message = dynamic_cast<const v1::Monitor&>(*plan_.steps[0].message);
  EXPECT_EQ(message.labels().at(kSetLabel), "main");
}

TEST_F(PlanTest, ASetKeepsWhatItMadeAndTakesNothingElse) {
  (*Existing("ours").mutable_labels())[kSetLabel] = "main";
  (*Existing("theirs").mutable_labels())[kSetLabel] = "other";
  Existing("nobodys");
  EXPECT_THAT(Steps("monitors: [{id: ours}, {id: nobodys}, {id: new}]", "main"),
              ElementsAre("= ours", "= nobodys", "+ new"));
  EXPECT_THAT(plan_.steps[2].changes,
              testing::Contains(FieldChange{"labels.tocsin.set", "", "main"}));
  EXPECT_EQ(told_, "");
  Steps("monitors: [{id: theirs}]", "main");
  EXPECT_THAT(told_, HasSubstr("monitor p/theirs belongs to the set \"other\""));
  EXPECT_THAT(Steps("monitors: [{id: theirs}, {id: ours}]"), ElementsAre("= theirs", "= ours"));
}

TEST_F(PlanTest, PruneDeletesWhatTheSetMadeInTheProjectsOfTheFiles) {
  for (const char* id : {"a", "b", "c"}) (*Existing(id).mutable_labels())[kSetLabel] = "main";
  (*Existing("theirs").mutable_labels())[kSetLabel] = "other";
  Existing("nobodys");
  v1::Monitor& deleted = Existing("deleted");
  deleted.mutable_delete_time()->set_seconds(1);
  (*deleted.mutable_labels())[kSetLabel] = "main";
  (*(*core_.monitors)["projects/q/monitors/a"].mutable_labels())[kSetLabel] = "main";
  EXPECT_THAT(Steps("monitors: [{id: a}]", "main", true), ElementsAre("= a", "- b", "- c"));
  ASSERT_EQ(plan_.prunes.size(), 1U);
  EXPECT_EQ(plan_.prunes[0].deleted, 2U);
  EXPECT_EQ(plan_.prunes[0].members, 3U);
}

TEST(PruneCountTest, MoreThanATenthIsLarge) {
  EXPECT_FALSE(IsLarge({.project = "p", .deleted = 0, .members = 0}));
  EXPECT_FALSE(IsLarge({.project = "p", .deleted = 1, .members = 10}));
  EXPECT_TRUE(IsLarge({.project = "p", .deleted = 1, .members = 9}));
  EXPECT_TRUE(IsLarge({.project = "p", .deleted = 2, .members = 19}));
}

}  // namespace
}  // namespace tocsin::cli
