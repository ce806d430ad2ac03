// The language by which lists of monitors are filtered: the part of AIP-160 that the comment of
// ListMonitorsRequest.filter in proto/tocsin/v1 states.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core {

inline constexpr size_t kMaxFilterBytes = 1024;
inline constexpr int kMaxFilterTerms = 20;

// Something that the id or the display name contains, A to Z in any case.
struct TextTerm {
  enum class In { kId, kDisplayName, kEither };
  In in = In::kEither;
  std::string text;  // in lower case; not empty

  friend bool operator==(const TextTerm&, const TextTerm&) = default;
};

// What every monitor of the list fulfils. Default: nothing is asked.
struct MonitorFilter {
  std::optional<State> state;
  std::optional<Severity> severity;
  std::optional<std::string> owner;  // may be empty: of nobody
  Labels labels;                     // these have these values,
  std::set<std::string> label_keys;  // these any
  std::vector<TextTerm> texts;
  bool nothing = false;  // two terms exclude each other

  friend bool operator==(const MonitorFilter&, const MonitorFilter&) = default;
};

// Terms, joined by AND or by blanks; each is one of
//   state, severity, owner or labels.KEY, then = or :, then a value
//   labels.KEY:*                 it has that label
//   id:TEXT, display_name:TEXT   it contains the text, in any case
//   TEXT                         id or display name contains it, in any case
// Fields are named as in the proto or in its JSON (displayName); states and severities may stand as
// the proto writes them, too (STATE_UP). A label alone is refused: as a text it stands in quotes.
// Values and texts with anything but letters, digits and _ . - / @ stand in double quotes, in which
// \" and \\ are " and \. States and severities are words in any case. INVALID_ARGUMENT (on
// `filter`) says at which position (in characters, from 1) what is wrong, and what is accepted.
absl::StatusOr<MonitorFilter> ParseMonitorFilter(std::string_view text);

// Whether the monitor fulfils everything; the project is not looked at.
bool Matches(const MonitorFilter& filter, const Monitor& monitor);

// A to Z in lower case, other bytes as they are: what "in any case" means here and in the stores.
std::string LowerAscii(std::string_view text);

}  // namespace tocsin::core
