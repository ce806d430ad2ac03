// What a search for monitors asks the index for.
//
// The index holds every column that a filter may ask about, and intersects long lists as readily as
// short ones: a term that half of all monitors match costs milliseconds and spares little. So it is
// asked for what spares more than it costs, as the planner's statistics have it; the rest is looked
// at on what that finds.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/core/store/pg/session.h"
#include "services/core/store/reads.h"

namespace tocsin::core::pg {

// How many patterns a search takes, and of how many they are chosen.
inline constexpr size_t kSearchPatterns = 3;
inline constexpr size_t kPatternCandidates = 8;

// What the index is asked for; `patterns` as in kSearchMonitors, kSearchPatterns at most. Nothing:
// the state is looked up, if one is asked for, which has an index of its own; else all monitors,
// of which there are few then.
struct SearchTerms {
  bool project = false;
  bool severity = false;
  bool owner = false;
  bool labels = false;
  bool label_keys = false;
  std::vector<std::string> patterns;
};

// How many monitors the planner expects to match each term; nullopt where there is none.
struct TermEstimates {
  double total = 0;  // monitors in all
  std::optional<double> project;
  std::optional<double> severity;
  std::optional<double> owner;
  std::optional<double> labels;
  std::optional<double> label_keys;
  std::optional<double> state;
  std::vector<double> patterns;  // of IndexedPatterns, as many
};

// What LIKE matches where `text` is found anywhere.
std::string ContainsPattern(const std::string& text);

// The parts of the texts that trigrams find, each once: three ASCII letters or digits in a row or
// more, with what is beside them. If there are many, the longest; kPatternCandidates at most.
std::vector<std::string> IndexedPatterns(const MonitorFilter& filter);

// nullopt: a search would look at too much to be worth while.
std::optional<SearchTerms> ChooseTerms(const TermEstimates& estimates,
                                       const std::vector<std::string>& patterns);

// The same, of what the planner expects; no table is read for it. nullopt also when it is not
// understood what that is.
absl::StatusOr<std::optional<SearchTerms>> ChooseTerms(Session& session, const MonitorQuery& query);

}  // namespace tocsin::core::pg
