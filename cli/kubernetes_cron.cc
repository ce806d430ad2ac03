// Rewrites what Kubernetes and Tocsin read differently, field by field.
#include "cli/kubernetes_cron.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace tocsin::cli {
namespace {

constexpr size_t kDayOfMonth = 2, kDayOfWeek = 4;
// The values of each field.
constexpr std::array<absl::string_view, 5> kAll = {"0-59", "0-23", "1-31", "1-12", "0-6"};
constexpr std::array<absl::string_view, 5> kLast = {"59", "23", "31", "12", "6"};

bool IsEvery(absl::string_view item) {
  return item == "*" || item == "?" || item == "*/1" || item == "?/1";
}

bool IsRestricted(absl::string_view field) {
  const std::vector<absl::string_view> items = absl::StrSplit(field, ',');
  return std::none_of(items.begin(), items.end(), &IsEvery);
}

}  // namespace

std::string FromKubernetesCron(absl::string_view expression, std::vector<std::string>& notes) {
  std::vector<std::string> fields =
      absl::StrSplit(expression, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (fields.size() != kAll.size()) return std::string(expression);
  const bool either = IsRestricted(fields[kDayOfMonth]) && IsRestricted(fields[kDayOfWeek]);
  for (size_t i = 0; i < fields.size(); ++i) {
    std::vector<std::string> items = absl::StrSplit(fields[i], ',');
    for (std::string& item : items) {
      const size_t slash = item.find('/');
      if (slash == std::string::npos) continue;
      const absl::string_view from = absl::string_view(item).substr(0, slash);
      const absl::string_view step = absl::string_view(item).substr(slash);
      if (from == "*" || from == "?") {
        const bool of_days = i == kDayOfMonth || i == kDayOfWeek;
        if (of_days && either) item = absl::StrCat(kAll[i], step);
      } else if (!absl::StrContains(from, '-')) {
        item = absl::StrCat(from, "-", kLast[i], step);
      }
    }
    const std::string written = absl::StrJoin(items, ",");
    if (written == fields[i]) continue;
    notes.push_back(absl::StrCat("\"", fields[i], "\" is written as ", written,
                                 ", which is how Kubernetes reads it"));
    fields[i] = written;
  }
  return absl::StrJoin(fields, " ");
}

}  // namespace tocsin::cli
