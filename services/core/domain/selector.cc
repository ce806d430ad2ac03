// The language by which channels select monitors.
#include "services/core/domain/selector.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/any_string_view.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/validate.h"
#include "services/core/domain/words.h"

namespace tocsin::core {
namespace {

constexpr std::string_view kAccepted =
    "terms key=value separated by commas, e.g. team=payments,severity=critical";

bool TermMatches(const SelectorTerm& term, const MonitorDefinition& definition) {
  if (term.key == "severity" && term.value == SeverityName(definition.severity)) return true;
  if (term.key == "owner" && term.value == definition.owner) return true;
  const auto label = definition.labels.find(term.key);
  return label != definition.labels.end() && label->second == term.value;
}

}  // namespace

absl::StatusOr<Selector> ParseSelector(std::string_view text, std::string_view field) {
  Selector selector;
  const absl::string_view trimmed = absl::StripAsciiWhitespace(AnyStringView(text).absl());
  if (trimmed.empty()) return selector;
  for (const absl::string_view part : absl::StrSplit(trimmed, ',')) {
    std::pair<absl::string_view, absl::string_view> sides =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    absl::ConsumePrefix(&sides.second, "=");
    const SelectorTerm term = {.key = std::string(absl::StripAsciiWhitespace(sides.first)),
                               .value = std::string(absl::StripAsciiWhitespace(sides.second))};
    if (!IsLabelKey(term.key)) {
      return InvalidField(field, absl::StrCat("the key of the term \"", part, "\" is malformed"),
                          kAccepted);
    }
    if (term.value.empty()) {
      return InvalidField(field, absl::StrCat("the term \"", part, "\" has no value"), kAccepted);
    }
    if (term.key == "severity" && !ParseSeverity(term.value).has_value()) {
      return InvalidField(field, absl::StrCat("the severity \"", term.value, "\" does not exist"),
                          "critical, error, warning, info");
    }
    selector.push_back(term);
  }
  return selector;
}

bool Matches(const Selector& selector, const MonitorDefinition& definition) {
  return !selector.empty() &&
         std::all_of(selector.begin(), selector.end(),
                     [&](const SelectorTerm& term) { return TermMatches(term, definition); });
}

}  // namespace tocsin::core
