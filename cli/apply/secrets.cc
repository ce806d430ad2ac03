// Values that files name without having them: ${env:NAME} and ${file:PATH}.
#include "cli/apply/secrets.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"

namespace tocsin::cli {
namespace {

absl::StatusOr<std::string> ReadVariable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value != nullptr) return std::string(value);
  return absl::InvalidArgumentError(
      absl::StrCat("the variable ", name, " is not set in the environment"));
}

absl::StatusOr<std::string> ValueOf(absl::string_view reference, const std::string& folder) {
  if (absl::ConsumePrefix(&reference, "env:") && !reference.empty()) {
    return ReadVariable(std::string(reference));
  }
  if (absl::ConsumePrefix(&reference, "file:") && !reference.empty()) {
    return ReadSecretFile((std::filesystem::path(folder) / std::string(reference)).string());
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"${", reference,
                   "}\" names no value; accepted: ${env:NAME}, ${file:PATH}, and $${ for ${"));
}

}  // namespace

absl::StatusOr<std::string> ReadSecretFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxSecretBytes + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad() || errno == EISDIR) {
    return absl::InvalidArgumentError(
        absl::StrCat("the file ", path, " cannot be read: ", std::strerror(errno)));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxSecretBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the file ", path, " has more than ", kMaxSecretBytes, " bytes"));
  }
  while (absl::EndsWith(text, "\n") || absl::EndsWith(text, "\r")) text.pop_back();
  return text;
}

absl::StatusOr<Expanded> ExpandSecrets(absl::string_view text, const std::string& folder) {
  Expanded expanded;
  while (true) {
    const size_t begin = text.find("${");
    if (begin == absl::string_view::npos) break;
    if (begin > 0 && text[begin - 1] == '$') {
      absl::StrAppend(&expanded.text, text.substr(0, begin - 1), "${");
      text.remove_prefix(begin + 2);
      continue;
    }
    const size_t end = text.find('}', begin);
    if (end == absl::string_view::npos) {
      return absl::InvalidArgumentError(
          "\"${\" has no end; accepted: ${env:NAME}, ${file:PATH}, "
          "and $${ for ${");
    }
    ASSIGN_OR_RETURN(const std::string value,
                     ValueOf(text.substr(begin + 2, end - begin - 2), folder));
    absl::StrAppend(&expanded.text, text.substr(0, begin), value);
    expanded.secret = true;
    text.remove_prefix(end + 1);
  }
  absl::StrAppend(&expanded.text, text);
  return expanded;
}

std::string EscapeSecrets(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"${", "$${"}});
}

}  // namespace tocsin::cli
