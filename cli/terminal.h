// What standard output is connected to, and text with colours for it.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace tocsin::cli {

// How a text is meant; kPlain has no colour.
enum class Tone { kPlain, kBad, kWarning, kGood, kQuiet, kTitle };

struct Terminal {
  bool colour = false;
  size_t width = 0;  // in characters; 0: no terminal, lines may be as long as they are
};

// What decides, as the operating system has it.
struct TerminalFacts {
  bool is_terminal = false;
  size_t columns = 0;         // as the terminal says; 0 when it does not
  std::string no_color = "";  // NO_COLOR: anything but empty means none (https://no-color.org)
  std::string term = "";      // TERM: "dumb" knows no colours
};

Terminal TerminalOf(const TerminalFacts& facts);

// Of standard output, now.
Terminal OutputTerminal();

// `text` as it is without colour.
std::string Toned(absl::string_view text, Tone tone, bool colour);

}  // namespace tocsin::cli
