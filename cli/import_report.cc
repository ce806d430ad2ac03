// What became of each entry of an export.
#include "cli/import_report.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/table.h"
#include "nlohmann/json.hpp"

namespace tocsin::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr ImportResult kAll[] = {ImportResult::kKept, ImportResult::kConverted,
                                 ImportResult::kExists, ImportResult::kSkipped,
                                 ImportResult::kRefused};

std::string Word(ImportResult result) {
  switch (result) {
    case ImportResult::kKept:
      return "kept";
    case ImportResult::kConverted:
      return "converted";
    case ImportResult::kExists:
      return "exists";
    case ImportResult::kSkipped:
      return "skipped";
    case ImportResult::kRefused:
      return "refused";
  }
  return "";
}

Json ToJson(const ImportOutcome& outcome) {
  return {{"source", outcome.entry.place},
          {"name", outcome.entry.name},
          {"id", outcome.entry.id},
          {"result", Word(outcome.result)},
          {"reasons", outcome.reasons}};
}

}  // namespace

ImportOutcome Judge(ImportedMonitor entry) {
  if (!entry.refusal.empty()) {
    std::vector<std::string> why = {entry.refusal};
    return {std::move(entry), ImportResult::kRefused, std::move(why)};
  }
  if (!entry.skipped.empty()) {
    std::vector<std::string> why = {entry.skipped};
    return {std::move(entry), ImportResult::kSkipped, std::move(why)};
  }
  std::vector<std::string> notes = entry.notes;
  const ImportResult result = notes.empty() ? ImportResult::kKept : ImportResult::kConverted;
  return {std::move(entry), result, std::move(notes)};
}

namespace {

// What every one that can be made has among its reasons; empty when there is no such.
std::string CommonNote(const std::vector<ImportOutcome>& outcomes) {
  std::string common;
  size_t made = 0;
  std::map<std::string, size_t> counts;
  for (const ImportOutcome& outcome : outcomes) {
    if (!outcome.entry.refusal.empty() || !outcome.entry.skipped.empty()) continue;
    ++made;
    for (const std::string& reason : outcome.reasons) {
      if (++counts[reason] > 1) common = reason;
    }
  }
  return !common.empty() && counts[common] == made ? common : "";
}

}  // namespace

std::string ImportTable(const std::vector<ImportOutcome>& outcomes, bool dry_run, bool with_kept) {
  Table table({"NAME", "ID", "RESULT", "WHY"});
  const std::string common = with_kept ? "" : CommonNote(outcomes);
  bool told = false;
  for (const ImportOutcome& outcome : outcomes) {
    const bool plain = outcome.result == ImportResult::kKept || !common.empty();
    std::vector<std::string> reasons = outcome.reasons;
    std::erase(reasons, common);
    if (!with_kept && plain && reasons.empty()) continue;
    told = true;
    // Refused ones have no better name than their place when they have none.
    const std::string& name = outcome.entry.name.empty() ? outcome.entry.place : outcome.entry.name;
    table.AddRow({Shortened(name, 40), outcome.entry.id, Word(outcome.result),
                  absl::StrJoin(reasons, "; ")});
  }
  std::vector<std::string> counts;
  for (const ImportResult result : kAll) {
    const auto count =
        std::count_if(outcomes.begin(), outcomes.end(),
                      [result](const ImportOutcome& o) { return o.result == result; });
    if (count > 0) counts.push_back(absl::StrCat(count, " ", Word(result)));
  }
  return absl::StrCat(dry_run ? "Nothing was changed; this is what would be:\n\n" : "",
                      told || with_kept ? absl::StrCat(table.ToString(), "\n") : "",
                      common.empty() ? "" : absl::StrCat("Of each: ", common, ".\n\n"),
                      counts.empty() ? "nothing" : absl::StrJoin(counts, ", "), "\n");
}

std::string ImportJson(const std::vector<ImportOutcome>& outcomes, bool dry_run, bool lines) {
  constexpr auto kReplace = Json::error_handler_t::replace;
  if (lines) {
    std::string text;
    for (const ImportOutcome& outcome : outcomes) {
      absl::StrAppend(&text, ToJson(outcome).dump(-1, ' ', false, kReplace), "\n");
    }
    return text;
  }
  Json monitors = Json::array();
  for (const ImportOutcome& outcome : outcomes) monitors.push_back(ToJson(outcome));
  const Json report = {{"dryRun", dry_run}, {"monitors", std::move(monitors)}};
  return absl::StrCat(report.dump(1, ' ', false, kReplace), "\n");
}

}  // namespace tocsin::cli
