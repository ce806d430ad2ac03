// Values may be long and secret, so they may stand in a file.
#include "cli/header_flags.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "cli/apply/secrets.h"
#include "common/status_macros.h"

namespace tocsin::cli {
namespace {

absl::Status Add(absl::string_view line, const std::string& where,
                 std::map<std::string, std::string>& headers) {
  const size_t colon = line.find(':');
  const absl::string_view name = absl::StripAsciiWhitespace(line.substr(0, colon));
  if (colon == absl::string_view::npos || name.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--header: ", where, " is no \"NAME: VALUE\", e.g. \"Authorization: Bearer …\""));
  }
  const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
  if (absl::StartsWith(value, "@")) {
    return absl::InvalidArgumentError(
        absl::StrCat("--header: the value of ", name,
                     " begins with @; a file stands alone, "
                     "--header @FILE, and its lines are \"NAME: VALUE\""));
  }
  if (!headers.emplace(name, value).second) {
    return absl::InvalidArgumentError(absl::StrCat("--header: ", name, " comes twice"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> ReadHeaders(
    const std::vector<std::string>& given) {
  std::map<std::string, std::string> headers;
  for (const std::string& text : given) {
    if (text.empty()) {
      if (given.size() == 1) return headers;
      return absl::InvalidArgumentError("--header: \"\" stands for none, and goes with no other");
    }
    if (text.front() != '@') {
      RETURN_IF_ERROR(Add(text, "what was given", headers));
      continue;
    }
    const std::string path = text.substr(1);
    ASSIGN_OR_RETURN(const std::string lines, ReadSecretFile(path));
    const size_t before = headers.size();
    int number = 0;
    for (const absl::string_view line : absl::StrSplit(lines, '\n')) {
      ++number;
      if (absl::StripAsciiWhitespace(line).empty()) continue;
      RETURN_IF_ERROR(Add(line, absl::StrCat("line ", number, " of \"", path, "\""), headers));
    }
    if (headers.size() == before) {
      return absl::InvalidArgumentError(absl::StrCat("--header: \"", path, "\" has no header"));
    }
  }
  return headers;
}

}  // namespace tocsin::cli
