// Aligned columns for terminals.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tocsin::cli {

// `text` on one line, without control characters: what a pusher wrote must not steer a terminal.
std::string OneLine(absl::string_view text);

// `text` if it has at most `most` characters; otherwise its beginning and "…", together as many.
// For cells of what people and jobs wrote at length.
std::string Shortened(absl::string_view text, size_t most = 60);

// Columns as wide as their widest cell, counted in code points, two spaces apart.
class Table {
 public:
  // Without a header for lists of names and values.
  explicit Table(std::vector<std::string> header = {});

  // Cells are put through OneLine; an empty one shows as "-".
  void AddRow(std::vector<std::string> cells);

  // Every line ends with a newline and without spaces before it.
  std::string ToString() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tocsin::cli
