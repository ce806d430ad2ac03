// Aligned columns for terminals.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/terminal.h"

namespace tocsin::cli {

// `text` on one line, without control characters: what a pusher wrote must not steer a terminal.
std::string OneLine(absl::string_view text);

// `text` if it has at most `most` characters; otherwise its beginning and "…", together as many.
// For cells of what people and jobs wrote at length.
std::string Shortened(absl::string_view text, size_t most = 60);

// How many characters (code points) it has.
size_t Width(absl::string_view utf8);

// Columns as wide as their widest cell, counted in code points, two spaces apart.
class Table {
 public:
  // Without a header for lists of names and values. A column may go without a name.
  explicit Table(std::vector<std::string> header = {});

  // Cells are put through OneLine; an empty one shows as "-".
  void AddRow(std::vector<std::string> cells);
  // How a cell of the newest row is meant.
  void Tint(size_t column, Tone tone);

  // Takes away the columns in which no row but the first has a cell.
  void DropEmptyColumns();

  // The lines, each without a newline and without spaces at its end.
  std::vector<std::string> Lines(bool colour = false) const;
  // Every line ends with a newline and without spaces before it.
  std::string ToString(bool colour = false) const;

 private:
  struct Cell {
    std::string text;
    Tone tone = Tone::kPlain;
  };

  std::vector<std::vector<Cell>> rows_;
};

}  // namespace tocsin::cli
