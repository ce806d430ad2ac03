// `--selector`: labels, as terms of the API's filter.
#include "cli/selector.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/table.h"
#include "common/status_macros.h"

namespace tocsin::cli {
namespace {

bool IsKey(absl::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || c == '.' || c == '-';
  });
}

absl::StatusOr<std::string> TermOf(absl::string_view part) {
  const size_t equals = part.find('=');
  const absl::string_view key = absl::StripAsciiWhitespace(part.substr(0, equals));
  if (!IsKey(key)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--selector: \"", OneLine(std::string(part)),
                     "\" is no label; accepted: KEY=VALUE or KEY, separated by commas, with keys "
                     "of [a-z0-9_.-]"));
  }
  if (equals == absl::string_view::npos) return absl::StrCat("labels.", key, ":*");
  absl::string_view value = part.substr(equals + 1);
  absl::ConsumePrefix(&value, "=");
  // The selectors of channels, maintenances and mutes mean the field by it, too, or such a label.
  const bool is_field = key == "severity" || key == "owner";
  return absl::StrCat(
      is_field ? "" : "labels.", key, " = \"",
      absl::StrReplaceAll(absl::StripAsciiWhitespace(value), {{"\\", "\\\\"}, {"\"", "\\\""}}),
      "\"");
}

}  // namespace

absl::StatusOr<std::string> FilterOf(absl::string_view filter,
                                     const std::vector<std::string>& selectors) {
  std::vector<std::string> terms;
  if (!absl::StripAsciiWhitespace(filter).empty()) terms.emplace_back(filter);
  for (const std::string& selector : selectors) {
    for (const absl::string_view part : absl::StrSplit(selector, ',')) {
      ASSIGN_OR_RETURN(std::string term, TermOf(part));
      terms.push_back(std::move(term));
    }
  }
  return absl::StrJoin(terms, " AND ");
}

void AddSelection(CLI::App& app, std::string& filter, std::vector<std::string>& selectors) {
  app.add_option("--filter", filter,
                 "Which monitors, e.g. 'state = DOWN AND labels.team = payments AND nightly'");
  app.add_option("-l,--selector", selectors,
                 "Labels that monitors have: KEY=VALUE or KEY, separated by commas; also "
                 "severity=VALUE and "
                 "owner=VALUE; may be repeated")
      ->allow_extra_args(false);
}

}  // namespace tocsin::cli
