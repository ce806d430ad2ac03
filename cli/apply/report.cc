// What an apply does or would do, for people and for scripts.
#include "cli/apply/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/table.h"
#include "nlohmann/json.hpp"

namespace tocsin::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Look {
  const char* sign;
  const char* colour;
  const char* done;  // "created"
};

Look LookOf(Action action) {
  switch (action) {
    case Action::kNothing:
      return {" ", "", "unchanged"};
    case Action::kCreate:
      return {"+", "\033[32m", "created"};
    case Action::kRestore:
      return {"+", "\033[32m", "brought back"};
    case Action::kUpdate:
      return {"~", "\033[33m", "updated"};
    case Action::kDelete:
      return {"-", "\033[31m", "deleted"};
  }
  return {" ", "", ""};
}

constexpr char kEndOfColour[] = "\033[0m";

std::string Value(const std::string& text) { return text.empty() ? "(none)" : OneLine(text); }

std::string Fields(const Step& step) {
  std::string text;
  const bool fresh = step.action != Action::kUpdate;
  for (const FieldChange& change : step.changes) {
    absl::StrAppend(&text, "    ", change.field, ": ",
                    fresh ? Value(change.after)
                          : absl::StrCat(Value(change.before), " -> ", Value(change.after)),
                    "\n");
  }
  return text;
}

}  // namespace

size_t Failures(const Execution& done) {
  return static_cast<size_t>(
      std::count_if(done.outcomes.begin(), done.outcomes.end(),
                    [](const absl::Status& status) { return !status.ok(); }));
}

std::string PlanText(const Plan& plan, const Execution* done, const ReportOptions& options) {
  std::string text;
  if (options.dry_run && plan.Differs()) {
    text = "Nothing was changed; this is what would be:\n\n";
  }
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    if (step.action == Action::kNothing) continue;
    const Look look = LookOf(step.action);
    const bool failed = done != nullptr && !done->outcomes[i].ok();
    absl::StrAppend(&text, options.colour ? look.colour : "", look.sign, " ", step.title,
                    options.colour ? kEndOfColour : "",
                    step.action == Action::kRestore ? " (it was deleted, and is brought back)" : "",
                    failed ? " FAILED" : "", "\n");
    if (failed) {
      absl::StrAppend(&text, "    ", OneLine(std::string(done->outcomes[i].message())), "\n");
    } else if (options.dry_run || step.action == Action::kUpdate) {
      text += Fields(step);
    }
  }
  std::vector<std::string> counts;
  for (const Action action :
       {Action::kCreate, Action::kRestore, Action::kUpdate, Action::kDelete, Action::kNothing}) {
    size_t count = plan.Count(action);
    for (size_t i = 0; done != nullptr && i < plan.steps.size(); ++i) {
      if (plan.steps[i].action == action && !done->outcomes[i].ok()) --count;
    }
    if (count > 0) counts.push_back(absl::StrCat(count, " ", LookOf(action).done));
  }
  if (done != nullptr && Failures(*done) > 0) {
    counts.push_back(absl::StrCat(Failures(*done), " failed"));
  }
  absl::StrAppend(&text, plan.Differs() ? "\n" : "",
                  counts.empty() ? "nothing is declared" : absl::StrJoin(counts, ", "), "\n");
  return text;
}

std::string PlanJson(const Plan& plan, const Execution* done, bool dry_run, bool lines) {
  constexpr auto kReplace = Json::error_handler_t::replace;
  Json changes = Json::array();
  std::string text;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    if (step.action == Action::kNothing) continue;
    Json fields = Json::array();
    for (const FieldChange& change : step.changes) {
      fields.push_back(
          {{"field", change.field}, {"before", change.before}, {"after", change.after}});
    }
    const absl::Status outcome = done == nullptr ? absl::OkStatus() : done->outcomes[i];
    Json item = {{"action", LookOf(step.action).done},
                 {"name", step.name},
                 {"fields", std::move(fields)},
                 {"error", std::string(outcome.message())}};
    absl::StrAppend(&text, item.dump(-1, ' ', false, kReplace), "\n");
    changes.push_back(std::move(item));
  }
  if (lines) return text;
  const Json report = {{"dryRun", dry_run},
                       {"changes", std::move(changes)},
                       {"unchanged", plan.Count(Action::kNothing)}};
  return absl::StrCat(report.dump(1, ' ', false, kReplace), "\n");
}

}  // namespace tocsin::cli
