// What became of each entry of an export.
#include "cli/import_report.h"

#include <algorithm>
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

std::string ImportTable(const std::vector<ImportOutcome>& outcomes, bool dry_run) {
  Table table({"NAME", "ID", "RESULT", "WHY"});
  for (const ImportOutcome& outcome : outcomes) {
    // Refused ones have no better name than their place when they have none.
    const std::string& name = outcome.entry.name.empty() ? outcome.entry.place : outcome.entry.name;
    table.AddRow({Shortened(name, 40), outcome.entry.id, Word(outcome.result),
                  absl::StrJoin(outcome.reasons, "; ")});
  }
  std::vector<std::string> counts;
  for (const ImportResult result : kAll) {
    const auto count =
        std::count_if(outcomes.begin(), outcomes.end(),
                      [result](const ImportOutcome& o) { return o.result == result; });
    if (count > 0) counts.push_back(absl::StrCat(count, " ", Word(result)));
  }
  return absl::StrCat(dry_run ? "Nothing was changed; this is what would be:\n\n" : "",
                      table.ToString(), "\n",
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
