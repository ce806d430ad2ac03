// What became of each entry of an export, for people and for scripts. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/import_batch.h"

namespace tocsin::cli {

enum class ImportResult {
  kKept,       // made, everything as it was
  kConverted,  // made, with notes on what is not as it was
  kExists,     // there before, and left alone
  kSkipped,    // nothing that we watch
  kRefused,    // cannot be made
};

struct ImportOutcome {
  ImportedMonitor entry;
  ImportResult result;
  std::vector<std::string> reasons;  // the notes, or why
};

// What the entry is before core was asked: kept or converted if it can be made.
ImportOutcome Judge(ImportedMonitor entry);

// A table with a line for each, and a line that counts them. Without `with_kept` those of which
// there is nothing to say have none, and neither has a note that all of them have: it comes once.
std::string ImportTable(const std::vector<ImportOutcome>& outcomes, bool dry_run,
                        bool with_kept = true);

// {"dryRun": …, "monitors": [{"source", "name", "id", "result", "reasons"}]}, or each of the
// monitors on a line. Names are those of the results above in small letters.
std::string ImportJson(const std::vector<ImportOutcome>& outcomes, bool dry_run, bool lines);

}  // namespace tocsin::cli
