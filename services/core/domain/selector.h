// The language by which channels select monitors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

struct SelectorTerm {
  std::string key;
  std::string value;

  friend bool operator==(const SelectorTerm&, const SelectorTerm&) = default;
};

using Selector = std::vector<SelectorTerm>;

// Terms `key=value` or `key==value`, separated by commas; blanks around keys and values do not
// count. A key is that of a label, or one of the words `severity` and `owner`. Empty text gives no
// terms. INVALID_ARGUMENT (on `field`) says which term is wrong and why.
absl::StatusOr<Selector> ParseSelector(std::string_view text, std::string_view field);

// Whether every term matches: `severity` and `owner` the monitor's field or its label of that
// name, other keys its label. No terms: false, a selector that says nothing selects none.
bool Matches(const Selector& selector, const MonitorDefinition& definition);

}  // namespace tocsin::core
