// What a person reads of how monitors stand, and what a program does. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "cli/status/standing.h"
#include "cli/terminal.h"
#include "nlohmann/json.hpp"

namespace tocsin::cli {

struct StatusView {
  absl::Time now;
  std::string where;  // "project default"
  size_t limit = 20;  // problems shown of each kind; 0: all
  bool wide = false;  // also what they are called, and their labels
  Terminal terminal = {};
};

// The counts in a line, and then, kind by kind, two lines or three for each problem: since when,
// why, whose it is, what came last, what to do. No line is longer than the
// terminal is wide, but one with an address.
std::string StatusText(const Standing& standing, const StatusView& view);

// {"time", "wrong", "counts": {"down": 3, …, "up": 41}, "atLeast": ["up"], "problems": [{"trouble",
// "monitor", "incident"}]}; monitors and incidents as the API has them. `atLeast` names the counts
// that may be higher. StatusView::limit counts here, too.
nlohmann::ordered_json StatusJson(const Standing& standing, const StatusView& view);

// Why, in a sentence without an end: "nothing came by 02:25:00Z; last 02:20:01Z".
std::string WhyOf(const Problem& problem, absl::Time now);

}  // namespace tocsin::cli
