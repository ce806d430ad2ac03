// What `tocsin doctor` found, and how it says so.
#include "cli/doctor/finding.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/table.h"
#include "cli/wrap.h"

namespace tocsin::cli {
namespace {

struct Word {
  const char* shown;
  const char* json;
  Tone tone;
};

Word WordOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFine:
      return {"ok", "ok", Tone::kGood};
    case Verdict::kNote:
      return {"note", "note", Tone::kWarning};
    case Verdict::kProblem:
      return {"PROBLEM", "problem", Tone::kBad};
    case Verdict::kUnknown:
      break;
  }
  return {"unknown", "unknown", Tone::kQuiet};
}

// `text` behind `margin` spaces, on as many lines as it needs; the first has its margin already.
std::string Hung(const std::string& text, size_t margin, size_t width) {
  const std::vector<std::string> lines =
      Wrapped(OneLine(text), width > margin ? width - margin : 0);
  std::string out;
  for (size_t i = 0; i < lines.size(); ++i) {
    absl::StrAppend(&out, i == 0 ? "" : std::string(margin, ' '), lines[i], "\n");
  }
  return out;
}

}  // namespace

bool HasProblem(const Findings& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.verdict == Verdict::kProblem; });
}

std::string FindingsText(const Findings& findings, const Terminal& terminal) {
  constexpr size_t kVerdictWidth = 9;
  size_t names = 0;
  for (const Finding& finding : findings) names = std::max(names, Width(finding.check));
  const size_t margin = kVerdictWidth + names + 2;
  std::string text;
  int64_t problems = 0;
  for (const Finding& finding : findings) {
    const Word word = WordOf(finding.verdict);
    if (finding.verdict == Verdict::kProblem) ++problems;
    absl::StrAppend(&text, Toned(word.shown, word.tone, terminal.colour),
                    std::string(kVerdictWidth - Width(word.shown), ' '), finding.check,
                    std::string(names + 2 - Width(finding.check), ' '),
                    Hung(finding.what, margin, terminal.width));
    if (!finding.advice.empty()) {
      absl::StrAppend(&text, std::string(margin, ' '),
                      Hung(absl::StrCat("→ ", finding.advice), margin, terminal.width));
    }
  }
  absl::StrAppend(&text, "\n",
                  problems == 0
                      ? Toned("No problem found.", Tone::kGood, terminal.colour)
                      : Toned(problems == 1 ? "1 problem." : absl::StrCat(problems, " problems."),
                              Tone::kBad, terminal.colour),
                  "\n");
  return text;
}

nlohmann::ordered_json FindingsJson(const Findings& findings) {
  auto list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"check", finding.check},
                    {"verdict", WordOf(finding.verdict).json},
                    {"what", finding.what},
                    {"advice", finding.advice}});
  }
  return {{"healthy", !HasProblem(findings)}, {"findings", std::move(list)}};
}

}  // namespace tocsin::cli
