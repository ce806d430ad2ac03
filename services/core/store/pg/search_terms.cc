// Weighs the terms of a filter by what the planner expects of them.
#include "services/core/store/pg/search_terms.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

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
// Looking at a monitor that the index found takes about a microsecond, whether it matches or not.
constexpr double kMostLookedAt = 5000;
// As many places in a list of the index are read in the time that it takes to look at a monitor.
constexpr double kPlacesForALook = 200;

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
    if (const auto alias = node.find("Alias"); alias != node.end()) {
      rows.emplace(alias->get<std::string>(), node.value("Plan Rows", 0.0));
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
  parts.resize(std::min<size_t>(parts.size(), kSearchPatterns));
  std::vector<std::string> patterns;
  for (const Part& part : parts) patterns.push_back(ContainsPattern(part.text));
  return patterns;
}

std::optional<SearchTerms> ChooseTerms(const TermEstimates& estimates,
                                       const std::vector<std::string>& patterns) {
  double rarest = std::numeric_limits<double>::infinity();
  for (const std::optional<double>& estimate :
       {estimates.project, estimates.severity, estimates.owner, estimates.labels,
        estimates.label_keys, estimates.state}) {
    rarest = std::min(rarest, estimate.value_or(rarest));
  }
  for (const double estimate : estimates.patterns) rarest = std::min(rarest, estimate);
  if (rarest > kMostLookedAt) return std::nullopt;
  const auto spares = [rarest](std::optional<double> estimate) {
    return estimate.has_value() && *estimate <= kPlacesForALook * std::max(rarest, 1.0);
  };
  SearchTerms terms;
  terms.project = spares(estimates.project);
  terms.severity = spares(estimates.severity);
  terms.owner = spares(estimates.owner);
  terms.labels = spares(estimates.labels);
  terms.label_keys = spares(estimates.label_keys);
  for (size_t i = 0; i < patterns.size(); ++i) {
    if (spares(estimates.patterns[i])) terms.patterns.push_back(patterns[i]);
  }
  return terms;
}

absl::StatusOr<std::optional<SearchTerms>> ChooseTerms(Session& session,
                                                       const MonitorQuery& query) {
  const MonitorFilter& filter = query.filter;
  const std::vector<std::string> patterns = IndexedPatterns(filter);
  Params params;
  params.Int(query.project)
      .IntOrNull(filter.severity ? std::optional<int64_t>(static_cast<int>(*filter.severity))
                                 : std::nullopt)
      .TextOrNull(filter.owner)
      .TextOrNull(filter.labels.empty() ? std::nullopt
                                        : std::optional<std::string>(LabelsToJson(filter.labels)))
      .IntOrNull(filter.state ? std::optional<int64_t>(static_cast<int>(*filter.state))
                              : std::nullopt);
  for (size_t i = 0; i < kSearchPatterns; ++i) {
    i < patterns.size() ? params.Text(patterns[i]) : params.Null();
  }
  BinaryArray keys(ElementType::kText);
  for (const std::string& key : filter.label_keys) keys.AddBytes(key);
  params.Array(std::move(keys));
  ASSIGN_OR_RETURN(Rows rows, session.Run(kEstimateTerms, params));
  if (rows.empty()) return absl::InternalError("EXPLAIN said nothing");
  const std::map<std::string, double> expected =
      RowsByAlias(Json::parse(rows.at(0).Text(), nullptr, /*allow_exceptions=*/false));
  const auto of = [&expected](const std::string& alias) {
    const auto found = expected.find(alias);
    return found == expected.end() ? std::nullopt : std::optional<double>(found->second);
  };
  TermEstimates estimates = {.project = of("project"),
                             .severity = of("severity"),
                             .owner = of("owner"),
                             .labels = of("labels"),
                             .label_keys = of("label_keys"),
                             .state = of("state"),
                             .patterns = {}};
  for (size_t i = 0; i < patterns.size(); ++i) {
    estimates.patterns.push_back(
        of(absl::StrCat("pattern_", i + 1)).value_or(std::numeric_limits<double>::infinity()));
  }
  return ChooseTerms(estimates, patterns);
}

}  // namespace tocsin::core::pg
