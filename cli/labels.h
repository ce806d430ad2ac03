// Flags that take labels, KEY=VALUE.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "CLI/App.hpp"

namespace tocsin::cli {

// Adds a flag that may be repeated. What is no KEY=VALUE is refused while parsing.
void AddLabels(CLI::App& app, const std::string& flag, std::vector<std::string>& labels,
               const std::string& help);

// Key and value of a label that passed; the value may be empty and have "=" inside.
std::pair<std::string, std::string> SplitLabel(const std::string& label);

}  // namespace tocsin::cli
