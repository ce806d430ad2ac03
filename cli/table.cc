// Aligned columns for terminals.
#include "cli/table.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"

namespace tocsin::cli {

size_t Width(absl::string_view utf8) {
  return std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

std::string Shortened(absl::string_view text, size_t most) {
  if (Width(text) <= most) return std::string(text);
  size_t end = 0;  // of as many characters as leave room for the ellipsis
  for (size_t characters = 0; end < text.size(); ++end) {
    if ((text[end] & 0xC0) != 0x80 && ++characters == most) break;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string OneLine(absl::string_view text) {
  std::string line;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are control characters, too; UTF-8 has them as C2 and the byte itself.
    const bool c1 =
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    line += c1 || c < 0x20 || c == 0x7F ? ' ' : text[i];
  }
  return line;
}

Table::Table(std::vector<std::string> header) {
  if (header.empty()) return;
  std::vector<Cell>& row = rows_.emplace_back();
  for (std::string& cell : header) row.push_back({OneLine(cell)});
}

void Table::AddRow(std::vector<std::string> cells) {
  std::vector<Cell>& row = rows_.emplace_back();
  for (const std::string& cell : cells) row.push_back({cell.empty() ? "-" : OneLine(cell)});
}

void Table::Tint(size_t column, Tone tone) { rows_.back()[column].tone = tone; }

void Table::DropEmptyColumns() {
  if (rows_.size() < 2) return;
  for (size_t column = rows_.front().size(); column-- > 0;) {
    const bool empty = std::all_of(rows_.begin() + 1, rows_.end(), [&](const auto& row) {
      return column >= row.size() || row[column].text == "-";
    });
    if (!empty) continue;
    for (auto& row : rows_) {
      if (column < row.size()) row.erase(row.begin() + static_cast<std::ptrdiff_t>(column));
    }
  }
}

std::vector<std::string> Table::Lines(bool colour) const {
  std::vector<size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i].text));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows_) {
    std::string& line = lines.emplace_back();
    for (size_t i = 0; i < row.size(); ++i) {
      line += Toned(row[i].text, row[i].tone, colour);
      if (i + 1 < row.size()) line.append(widths[i] - Width(row[i].text) + 2, ' ');
    }
    absl::StripTrailingAsciiWhitespace(&line);
  }
  return lines;
}

std::string Table::ToString(bool colour) const {
  std::string text;
  for (const std::string& line : Lines(colour)) text += line + '\n';
  return text;
}

}  // namespace tocsin::cli
