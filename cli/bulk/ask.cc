// What a person is asked before much is done.
#include "cli/bulk/ask.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/table.h"
#include "cli/values.h"

namespace tocsin::cli {

std::string MonitorWords(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  std::vector<std::string> ids;
  for (size_t i = 0; i < std::min(kShown, names.size()); ++i)
    ids.push_back(OneLine(IdOf(names[i])));
  return absl::StrCat(
      names.size(), names.size() == 1 ? " monitor (" : " monitors (", absl::StrJoin(ids, ", "),
      names.size() > kShown ? absl::StrCat(" and ", names.size() - kShown, " more") : "", ")");
}

std::string Question(absl::string_view verb, const std::vector<std::string>& names) {
  return absl::StrCat(verb, " ", MonitorWords(names), "? [y/N] ");
}

bool IsYes(absl::string_view answer) {
  const std::string word = absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer));
  return word == "y" || word == "yes";
}

}  // namespace tocsin::cli
