// Who is told of a monitor, and what keeps it from being told.
#include "cli/describe/routing.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/values.h"

namespace tocsin::cli {
namespace {

bool TermMatches(absl::string_view key, absl::string_view value, const v1::Monitor& monitor) {
  if (key == "severity" &&
      value == ShowEnum(v1::Monitor::Severity_Name(monitor.severity()), "SEVERITY_")) {
    return true;
  }
  if (key == "owner" && value == monitor.owner()) return true;
  const auto label = monitor.labels().find(std::string(key));
  return label != monitor.labels().end() && label->second == value;
}

template <typename About>
bool NamesOrSelects(const About& about, const v1::Monitor& monitor) {
  const auto& names = about.monitors();
  return std::find(names.begin(), names.end(), monitor.name()) != names.end() ||
         Selects(about.selector(), monitor);
}

}  // namespace

bool Selects(absl::string_view selector, const v1::Monitor& monitor) {
  if (absl::StripAsciiWhitespace(selector).empty()) return false;
  const std::vector<absl::string_view> terms = absl::StrSplit(selector, ',');
  return std::all_of(terms.begin(), terms.end(), [&](absl::string_view term) {
    const std::pair<absl::string_view, absl::string_view> sides =
        absl::StrSplit(term, absl::MaxSplits('=', 1));
    return TermMatches(absl::StripAsciiWhitespace(sides.first),
                       absl::StripAsciiWhitespace(sides.second), monitor);
  });
}

std::vector<Told> WhoIsTold(const v1::Monitor& monitor, const std::vector<v1::Channel>& channels) {
  std::vector<Told> told, defaults;
  for (const v1::Channel& channel : channels) {
    if (channel.has_disable_time()) continue;
    const auto& named = monitor.channels();
    if (std::find(named.begin(), named.end(), channel.name()) != named.end()) {
      told.push_back({channel, "named by the monitor"});
    } else if (Selects(channel.selector(), monitor)) {
      told.push_back({channel, absl::StrCat("its selector ", channel.selector())});
    } else if (channel.is_default()) {
      defaults.push_back({channel, "a default channel"});
    }
  }
  return told.empty() ? defaults : told;
}

bool IsAbout(const v1::Mute& mute, const v1::Monitor& monitor) {
  return NamesOrSelects(mute, monitor);
}

bool IsAbout(const v1::Maintenance& maintenance, const v1::Monitor& monitor) {
  return maintenance.all_monitors() || NamesOrSelects(maintenance, monitor);
}

}  // namespace tocsin::cli
