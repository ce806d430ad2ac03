// What an apply does or would do, for people and for scripts. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/apply/execute.h"
#include "cli/apply/plan.h"

namespace tocsin::cli {

struct ReportOptions {
  bool dry_run = false;
  bool colour = false;  // for terminals
};

// A line for each step that changes something, "+ monitor payments/backup", with the fields below
// it that differ, and a line that counts. `done` is null before the plan was carried out;
// afterwards steps that failed say why.
std::string PlanText(const Plan& plan, const Execution* done, const ReportOptions& options);

// {"dryRun", "changes": [{"action", "name", "fields": [{"field", "before", "after"}], "error"}],
// "unchanged"}, or each of the changes on a line.
std::string PlanJson(const Plan& plan, const Execution* done, bool dry_run, bool lines);

// How many steps failed or were not begun.
size_t Failures(const Execution& done);

}  // namespace tocsin::cli
