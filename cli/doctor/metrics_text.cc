// Figures of a service, as its /metrics gives them.
#include "cli/doctor/metrics_text.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace tocsin::cli {
namespace {

// "{outcome="recorded"} 12" of a line of the family; nothing for any other line.
std::optional<absl::string_view> RestOf(absl::string_view line, absl::string_view family) {
  if (!absl::ConsumePrefix(&line, family)) return std::nullopt;
  if (line.empty() || (line.front() != '{' && line.front() != ' ')) return std::nullopt;
  return line;
}

}  // namespace

std::optional<double> SumOf(absl::string_view metrics, absl::string_view family,
                            absl::string_view label) {
  std::optional<double> sum;
  for (const absl::string_view line : absl::StrSplit(metrics, '\n')) {
    const std::optional<absl::string_view> rest = RestOf(line, family);
    if (!rest.has_value() || !absl::StrContains(*rest, label)) continue;
    double value = 0;
    if (absl::SimpleAtod(rest->substr(rest->rfind(' ') + 1), &value)) {
      sum = sum.value_or(0) + value;
    }
  }
  return sum;
}

std::string LabelOf(absl::string_view metrics, absl::string_view family, absl::string_view label) {
  const std::string before = absl::StrCat(label, "=\"");
  for (const absl::string_view line : absl::StrSplit(metrics, '\n')) {
    const std::optional<absl::string_view> rest = RestOf(line, family);
    if (!rest.has_value()) continue;
    const size_t begin = rest->find(before);
    if (begin == absl::string_view::npos) continue;
    const absl::string_view value = rest->substr(begin + before.size());
    return std::string(value.substr(0, value.find('"')));
  }
  return "";
}

}  // namespace tocsin::cli
