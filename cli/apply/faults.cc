// What is wrong with files, all of it: each fault with its place.
#include "cli/apply/faults.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "cli/table.h"

namespace tocsin::cli {

std::string Show(const Place& place) {
  if (place.line == 0) return place.file;
  return absl::StrCat(place.file, ":", place.line, ":", place.column);
}

void Faults::Add(const Place& place, absl::string_view field, absl::string_view what) {
  faults_.push_back({place, absl::StrCat(field, field.empty() ? "" : ": ", what)});
}

std::string Faults::ToString() const {
  std::map<std::string, size_t> order;
  for (const Fault& fault : faults_) order.emplace(fault.place.file, order.size());
  std::vector<Fault> sorted = faults_;
  const auto rank = [&order](const Fault& fault) {
    return std::make_tuple(order.at(fault.place.file), fault.place.line, fault.place.column);
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&rank](const Fault& a, const Fault& b) { return rank(a) < rank(b); });
  std::string text;
  for (const Fault& fault : sorted) {
    absl::StrAppend(&text, OneLine(absl::StrCat(Show(fault.place), ": ", fault.text)), "\n");
  }
  return text;
}

}  // namespace tocsin::cli
