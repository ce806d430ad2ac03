// Text on lines that a terminal holds.
#include "cli/wrap.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/table.h"

namespace tocsin::cli {

std::vector<std::string> Wrapped(absl::string_view text, size_t width, size_t most) {
  if (width == 0 || Width(text) <= width) return {std::string(text)};
  std::vector<std::string> lines;
  size_t line_begin = 0;  // of the newest line, in the text
  for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    const size_t word_begin = static_cast<size_t>(word.data() - text.data());
    const bool fits = !lines.empty() && Width(lines.back()) + 1 + Width(word) <= width;
    if (fits) {
      absl::StrAppend(&lines.back(), " ", word);
    } else if (most > 0 && lines.size() == most) {
      lines.back() = Shortened(text.substr(line_begin), width);
      return lines;
    } else {
      lines.emplace_back(word);
      line_begin = word_begin;
    }
  }
  if (lines.empty()) lines.emplace_back();
  return lines;
}

}  // namespace tocsin::cli
