// Weighs the terms of a filter by what the planner expects of them.
#include "services/core/store/pg/search_terms.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/status_macros.h"
#include "services/core/store/pg/list_statements.h"
#include "services/core/store/pg/monitor_rows.h"

namespace tocsin::core::pg {
namespace {

using Json = nlohmann::json;

// The index knows what has as many letters or digits in a row.
constexpr size_t kTrigram = 3;
// Costs are in monitors that are looked at, whether they match or not: about a microsecond each. In
// that time as many places in a list of the index are read.
constexpr double kPlacesForALook = 200;
// Three fifths of the time after which a search is given up. An expectation of the planner is that
// coarse: one of the hundred samples that it has of texts and labels stands for a hundredth of all.
constexpr double kMostLookedAt = 25'000;
// Fewer are not counted on: monitors may have been made since the planner counted.
constexpr double kLeastExpected = 250;

struct Part {
  std::string text;
  size_t run = 0;  // of letters and digits in it
};

void AddParts(const std::string& text, std::vector<Part>& parts) {
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && absl::ascii_isalnum(text[end])) ++end;
    const size_t run = end - begin;
    if (run >= kTrigram) {
      // Where a word begins or ends is in the index, too.
      const size_t from = begin > 0 && absl::ascii_isascii(text[begin - 1]) ? begin - 1 : begin;
      const size_t to = end < text.size() && absl::ascii_isascii(text[end]) ? end + 1 : end;
      parts.push_back({text.substr(from, to - from), run});
    }
    begin = end + 1;
  }
}

// The rows that are expected of each alias in the plan.
std::map<std::string, double> RowsByAlias(const Json& explained) {
  std::map<std::string, double> rows;
  std::vector<const Json*> left;
  for (const Json& statement : explained) {
    if (const auto plan = statement.find("Plan"); plan != statement.end()) left.push_back(&*plan);
  }
  while (!left.empty()) {
    const Json& node = *left.back();
    left.pop_back();
    const auto alias = node.find("Alias"), expected = node.find("Plan Rows");
    if (alias != node.end() && alias->is_string() && expected != node.end() &&
        expected->is_number()) {
      rows.emplace(alias->get<std::string>(), expected->get<double>());
    }
    if (const auto below = node.find("Plans"); below != node.end()) {
      for (const Json& child : *below) left.push_back(&child);
    }
  }
  return rows;
}

}  // namespace

std::string ContainsPattern(const std::string& text) {
  return absl::StrCat("%", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"%", "\\%"}, {"_", "\\_"}}),
                      "%");
}

std::vector<std::string> IndexedPatterns(const MonitorFilter& filter) {
  std::vector<Part> parts;
  for (const TextTerm& term : filter.texts) AddParts(term.text, parts);
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.run > b.run; });
  std::vector<std::string> patterns;
  for (const Part& part : parts) {
    if (patterns.size() == kPatternCandidates) break;
    std::string pattern = ContainsPattern(part.text);
    if (absl::c_linear_search(patterns, pattern)) continue;
    patterns.push_back(std::move(pattern));
  }
  return patterns;
}

std::optional<SearchTerms> ChooseTerms(const TermEstimates& estimates,
                                       const std::vector<std::string>& patterns) {
  struct Term {
    double matching;
    bool SearchTerms::*asked;
    const std::string* pattern;
  };
  std::vector<Term> terms;
  const auto add = [&terms](const std::optional<double>& matching, bool SearchTerms::*asked) {
    if (matching.has_value()) terms.push_back({*matching, asked, nullptr});
  };
  add(estimates.project, &SearchTerms::project);
  add(estimates.severity, &SearchTerms::severity);
  add(estimates.owner, &SearchTerms::owner);
  add(estimates.labels, &SearchTerms::labels);
  add(estimates.label_keys, &SearchTerms::label_keys);
  for (size_t i = 0; i < patterns.size(); ++i) {
    terms.push_back({estimates.patterns[i], nullptr, &patterns[i]});
  }
  std::stable_sort(terms.begin(), terms.end(),
                   [](const Term& a, const Term& b) { return a.matching < b.matching; });

  SearchTerms chosen;
  double looked_at = estimates.total;
  double places = 0;
  for (const Term& term : terms) {
    const double share = estimates.total > 0 ? std::min(term.matching / estimates.total, 1.0) : 1;
    const double spared = std::max(looked_at, kLeastExpected) * (1 - share);
    if (term.matching > spared * kPlacesForALook) continue;
    if (term.pattern == nullptr) {
      chosen.*term.asked = true;
    } else if (chosen.patterns.size() < kSearchPatterns) {
      chosen.patterns.push_back(*term.pattern);
    } else {
      continue;
    }
    looked_at *= share;
    places += term.matching;
  }
  const double cost = looked_at + places / kPlacesForALook;
  if (estimates.state.has_value() && *estimates.state < cost) {
    return *estimates.state <= kMostLookedAt ? std::optional(SearchTerms()) : std::nullopt;
  }
  return cost <= kMostLookedAt ? std::optional(std::move(chosen)) : std::nullopt;
}

absl::StatusOr<std::optional<SearchTerms>> ChooseTerms(Session& session,
                                                       const MonitorQuery& query) {
  const MonitorFilter& filter = query.filter;
  const std::vector<std::string> patterns = IndexedPatterns(filter);
  Params params;
  params.Int(query.project)
      .EnumOrNull(filter.severity)
      .TextOrNull(filter.owner)
      .TextOrNull(filter.labels.empty() ? std::nullopt
                                        : std::optional<std::string>(LabelsToJson(filter.labels)))
      .EnumOrNull(filter.state);
  for (size_t i = 0; i < kPatternCandidates; ++i) {
    i < patterns.size() ? params.Text(patterns[i]) : params.Null();
  }
  BinaryArray keys(ElementType::kText);
  for (const std::string& key : filter.label_keys) keys.AddBytes(key);
  params.Array(std::move(keys));
  ASSIGN_OR_RETURN(Rows rows, session.Run(kEstimateTerms, params));
  const std::map<std::string, double> expected =
      rows.empty()
          ? std::map<std::string, double>()
          : RowsByAlias(Json::parse(rows.at(0).Text(), nullptr, /*allow_exceptions=*/false));
  // A server that explains itself otherwise is no reason to list nothing: without the index a page
  // takes longer.
  if (!expected.contains("total")) return std::nullopt;
  const auto of = [&expected](const std::string& alias) {
    const auto found = expected.find(alias);
    return found == expected.end() ? std::nullopt : std::optional<double>(found->second);
  };
  TermEstimates estimates = {.total = expected.at("total"),
                             .project = of("project"),
                             .severity = of("severity"),
                             .owner = of("owner"),
                             .labels = of("labels"),
                             .label_keys = of("label_keys"),
                             .state = of("state"),
                             .patterns = {}};
  for (size_t i = 0; i < patterns.size(); ++i) {
    estimates.patterns.push_back(of(absl::StrCat("pattern_", i + 1)).value_or(estimates.total));
  }
  return ChooseTerms(estimates, patterns);
}

}  // namespace tocsin::core::pg
