// What `tocsin doctor` found, and how it says so. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"
#include "nlohmann/json.hpp"

namespace tocsin::cli {

// kNote: nothing is broken, somebody may want to know; kUnknown: it could not be looked at.
enum class Verdict { kFine, kNote, kProblem, kUnknown };

struct Finding {
  std::string check;  // "core", "key", "clock", …
  Verdict verdict = Verdict::kFine;
  std::string what;    // a sentence without an end
  std::string advice;  // what to do about it, as well; empty when nothing is to be done
};
using Findings = std::vector<Finding>;

// Whether there is a problem.
bool HasProblem(const Findings& findings);

// A line for each, its advice below it; then how many problems there are. Words are broken where
// the terminal ends.
std::string FindingsText(const Findings& findings, const Terminal& terminal);

// {"healthy", "findings": [{"check", "verdict", "what", "advice"}]}.
nlohmann::ordered_json FindingsJson(const Findings& findings);

}  // namespace tocsin::cli
