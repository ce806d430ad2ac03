// What an apply does or would do, for people and for scripts.
#include "cli/apply/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nlohmann/json.hpp"

namespace tocsin::cli {
namespace {

using Json = nlohmann::json;

Plan Some() {
  Plan plan;
  const auto add = [&plan](Action action, const char* id, std::vector<FieldChange> changes) {
    Step step;
    step.action = action;
    step.title = std::string("monitor p/") + id;
    step.name = std::string("projects/p/monitors/") + id;
    step.changes = std::move(changes);
    plan.steps.push_back(std::move(step));
  };
  add(Action::kCreate, "new", {{"owner", "", "x"}});
  add(Action::kNothing, "same", {});
  add(Action::kUpdate, "changed", {{"owner", "", "x\x1b[31m"}, {"labels.a", "1", ""}});
  add(Action::kRestore, "back", {});
  add(Action::kDelete, "old", {});
  return plan;
}

TEST(ApplyReportTest, ATrialShowsWhatWouldBe) {
  EXPECT_EQ(PlanText(Some(), nullptr, {.dry_run = true}),
            "Nothing was changed; this is what would be:\n\n"
            "+ monitor p/new\n"
            "    owner: x\n"
            "~ monitor p/changed\n"
            "    owner: (none) -> x [31m\n"
            "    labels.a: 1 -> (none)\n"
            "+ monitor p/back (it was deleted, and is brought back)\n"
            "- monitor p/old\n"
            "\n1 created, 1 brought back, 1 updated, 1 deleted, 1 unchanged\n");
}

TEST(ApplyReportTest, WhatFailedSaysWhyAndIsNotCountedAsDone) {
  Execution done;
  done.outcomes.assign(5, absl::OkStatus());
  done.outcomes[2] = absl::AbortedError("somebody else changed it");
  const std::string text = PlanText(Some(), &done, {});
  EXPECT_THAT(text,
              testing::HasSubstr("~ monitor p/changed FAILED\n    somebody else changed it\n"));
  EXPECT_THAT(text,
              testing::EndsWith("\n1 created, 1 brought back, 1 deleted, 1 unchanged, 1 failed\n"));
}

TEST(ApplyReportTest, NothingToDoIsOneLine) {
  EXPECT_EQ(PlanText(Plan(), nullptr, {.dry_run = true}), "nothing is declared\n");
  Plan plan;
  plan.steps.resize(3);
  EXPECT_EQ(PlanText(plan, nullptr, {.dry_run = true}), "3 unchanged\n");
}

TEST(ApplyReportTest, ColoursAreForTerminals) {
  EXPECT_THAT(PlanText(Some(), nullptr, {.dry_run = true, .colour = true}),
              testing::HasSubstr("\033[32m+ monitor p/new\033[0m\n"));
}

TEST(ApplyReportTest, JsonHasEveryChange) {
  Execution done;
  done.outcomes.assign(5, absl::OkStatus());
  done.outcomes[0] = absl::AbortedError("no");
  const Json report = Json::parse(PlanJson(Some(), &done, false, false));
  EXPECT_EQ(report["unchanged"], 1);
  EXPECT_EQ(report["dryRun"], false);
  ASSERT_EQ(report["changes"].size(), 4U);
  EXPECT_EQ(report["changes"][0],
            Json::parse(R"({"action": "created", "name": "projects/p/monitors/new",
              "fields": [{"field": "owner", "before": "", "after": "x"}], "error": "no"})"));
}

}  // namespace
}  // namespace tocsin::cli
