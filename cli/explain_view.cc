// How an explanation is shown on a terminal.
#include "cli/explain_view.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/table.h"
#include "cli/values.h"

namespace tocsin::cli {
namespace {

constexpr size_t kTimeWidth = 20;  // "2026-03-10 02:00:00Z"
constexpr size_t kWhatWidth = 28;
constexpr size_t kGap = 2;
constexpr size_t kWhyWidth = kExplainColumns - kTimeWidth - kWhatWidth - 2 * kGap;

bool BeginsCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

size_t Characters(absl::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), &BeginsCharacter));
}

std::string Padded(const std::string& text, size_t width) {
  const size_t length = Characters(text);
  return text + std::string(length < width ? width - length : 0, ' ');
}

std::string What(const v1::TimelineEntry& entry) {
  if (entry.count() <= 1) return entry.what();
  return absl::StrCat(entry.count(), " × ", entry.what());
}

void AddPart(std::string& text, absl::string_view part) {
  if (part.empty()) return;
  absl::StrAppend(&text, text.empty() ? "" : "; ", part);
}

std::string Why(const v1::TimelineEntry& entry) {
  std::string why = entry.why();
  const bool rejected = entry.kind() == v1::TimelineEntry::KIND_REJECTED_PUSH;
  if (!entry.actor().empty()) {
    AddPart(why, absl::StrCat(rejected ? "from " : "by ", entry.actor()));
  }
  if (entry.kind() == v1::TimelineEntry::KIND_TRANSITION) AddPart(why, entry.settings());
  if (entry.kind() == v1::TimelineEntry::KIND_HEARTBEAT && entry.count() > 1) {
    AddPart(why, absl::StrCat("until ", Show(entry.end_time())));
  }
  return why;
}

void AddRow(std::string& text, const std::string& time, absl::string_view what,
            absl::string_view why) {
  const std::vector<std::string> left = Wrapped(OneLine(what), kWhatWidth);
  const std::vector<std::string> right = Wrapped(OneLine(why), kWhyWidth);
  for (size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    std::string line = absl::StrCat(Padded(i == 0 ? time : "", kTimeWidth + kGap),
                                    Padded(i < left.size() ? left[i] : "", kWhatWidth + kGap),
                                    i < right.size() ? right[i] : "");
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  }
}

}  // namespace

std::vector<std::string> Wrapped(absl::string_view text, size_t width) {
  std::vector<std::string> lines;
  while (true) {
    size_t end = 0;  // of what fits, in bytes
    size_t space = absl::string_view::npos;
    size_t characters = 0;
    while (end < text.size()) {
      if (BeginsCharacter(text[end]) && characters++ == width) break;
      if (text[end] == ' ') space = end;
      ++end;
    }
    if (end == text.size()) {
      lines.emplace_back(text);
      return lines;
    }
    if (text[end] == ' ') space = end;
    const size_t cut = space == absl::string_view::npos || space == 0 ? end : space;
    lines.emplace_back(text.substr(0, cut));
    lines.back().erase(lines.back().find_last_not_of(' ') + 1);
    text.remove_prefix(cut);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    if (text.empty()) return lines;
  }
}

std::string ShowExplanation(const v1::ExplainMonitorResponse& explanation, absl::string_view id) {
  std::string text = absl::StrCat(id, ", asked about ", Show(explanation.at()), ":\n");
  for (const std::string& sentence : explanation.verdict().sentences()) {
    for (const std::string& line : Wrapped(OneLine(sentence), kExplainColumns - kGap)) {
      absl::StrAppend(&text, "  ", line, "\n");
    }
  }
  absl::StrAppend(&text, "\n");
  if (explanation.entries().empty()) {
    return absl::StrCat(text, "Nothing happened from ", Show(explanation.start_time()), " to ",
                        Show(explanation.end_time()), ".\n");
  }
  AddRow(text, "TIME", "WHAT", "WHY");
  for (const v1::TimelineEntry& entry : explanation.entries()) {
    AddRow(text, Show(entry.time()), What(entry), Why(entry));
  }
  return text;
}

}  // namespace tocsin::cli
