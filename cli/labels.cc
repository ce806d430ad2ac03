// Flags that take labels, KEY=VALUE.
#include "cli/labels.h"

namespace tocsin::cli {
namespace {

std::string LabelFault(const std::string& text) {
  const size_t equals = text.find('=');
  return equals == std::string::npos || equals == 0 ? "\"" + text + "\" is no KEY=VALUE" : "";
}

}  // namespace

void AddLabels(CLI::App& app, const std::string& flag, std::vector<std::string>& labels,
               const std::string& help) {
  app.add_option(flag, labels, help)
      ->allow_extra_args(false)
      ->check(CLI::Validator(LabelFault, "KEY=VALUE"));
}

std::pair<std::string, std::string> SplitLabel(const std::string& label) {
  const size_t equals = label.find('=');
  return {label.substr(0, equals), label.substr(equals + 1)};
}

}  // namespace tocsin::cli
