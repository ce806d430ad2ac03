// What standard output is connected to, and text with colours for it.
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace tocsin::cli {
namespace {

constexpr size_t kUsualWidth = 80;

// Of the sixteen colours that every scheme of a terminal makes readable.
absl::string_view Code(Tone tone) {
  switch (tone) {
    case Tone::kBad:
      return "1;31";
    case Tone::kWarning:
      return "33";
    case Tone::kGood:
      return "32";
    case Tone::kQuiet:
      return "2";
    case Tone::kTitle:
      return "1";
    case Tone::kPlain:
      break;
  }
  return "";
}

std::string Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Terminal TerminalOf(const TerminalFacts& facts) {
  if (!facts.is_terminal) return {};
  return {.colour = facts.no_color.empty() && facts.term != "dumb",
          .width = facts.columns == 0 ? kUsualWidth : facts.columns};
}

Terminal OutputTerminal() {
  TerminalFacts facts = {.is_terminal = isatty(STDOUT_FILENO) == 1,
                         .no_color = Variable("NO_COLOR"),
                         .term = Variable("TERM")};
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) facts.columns = size.ws_col;
  return TerminalOf(facts);
}

std::string Toned(absl::string_view text, Tone tone, bool colour) {
  if (!colour || text.empty() || tone == Tone::kPlain) return std::string(text);
  return absl::StrCat("\x1b[", Code(tone), "m", text, "\x1b[0m");
}

}  // namespace tocsin::cli
