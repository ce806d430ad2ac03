// CommonMark, as far as it is used here → HTML.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/describe/html.h"
#include "gateway/describe/page.h"

namespace tocsin::gateway {
namespace {

std::string Spans(const std::string& text) {
  std::string html;
  bool code = false;
  for (char c : text) {
    if (c == '`') {
      html += code ? "</code>" : "<code>";
      code = !code;
    } else {
      AppendEscaped(c, html);
    }
  }
  return html;
}

// What is open while lines are read.
enum class Block { kNone, kParagraph, kList, kCode };

}  // namespace

std::string Markdown(const std::string& text) {
  std::string html;
  Block block = Block::kNone;
  const auto enter = [&](Block next) {
    if (block == next) return;
    constexpr const char* kEnd[] = {"", "</p>\n", "</li></ul>\n", "</pre>\n"};
    html += kEnd[static_cast<int>(block)];
    constexpr const char* kBegin[] = {"", "<p>", "<ul>", "<pre>"};
    html += kBegin[static_cast<int>(next)];
    block = next;
  };
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
    if (line == "```") {
      enter(block == Block::kCode ? Block::kNone : Block::kCode);
    } else if (block == Block::kCode) {
      absl::StrAppend(&html, Escaped(line), "\n");
    } else if (line.empty()) {
      enter(Block::kNone);
    } else if (line.compare(0, 2, "- ") == 0) {
      const bool first = block != Block::kList;
      enter(Block::kList);
      absl::StrAppend(&html, first ? "<li>" : "</li><li>", Spans(line.substr(2)));
    } else {
      const bool goes_on = block == Block::kParagraph || block == Block::kList;
      if (!goes_on) enter(Block::kParagraph);
      absl::StrAppend(&html, goes_on ? "\n" : "", Spans(line));
    }
  }
  enter(Block::kNone);
  return html;
}

}  // namespace tocsin::gateway
