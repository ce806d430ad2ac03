// The windows of maintenances, as they were and are.
#include "tests/simulation/calendar.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_split.h"

namespace tocsin::core::simulation {
namespace {

bool IsAbout(const Maintenance& maintenance, const MonitorDefinition& definition) {
  if (maintenance.all_monitors) return true;
  if (!maintenance.selector.empty()) {
    const std::pair<std::string, std::string> label = absl::StrSplit(maintenance.selector, '=');
    const auto found = definition.labels.find(label.first);
    return found != definition.labels.end() && found->second == label.second;
  }
  const auto& ids = maintenance.monitors;
  return std::find(ids.begin(), ids.end(), definition.id) != ids.end();
}

}  // namespace

bool Calendar::Note(const Maintenances& maintenances, absl::Time now) {
  bool news = false;
  for (Entry& entry : entries_) {
    if (entry.until != absl::InfiniteFuture()) continue;
    const bool unchanged = std::find(maintenances.begin(), maintenances.end(), entry.maintenance) !=
                           maintenances.end();
    if (unchanged) continue;
    entry.until = now;
    news = true;
  }
  for (const Maintenance& maintenance : maintenances) {
    const bool known = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
      return entry.until == absl::InfiniteFuture() && entry.maintenance == maintenance;
    });
    if (known) continue;
    entries_.push_back({.maintenance = maintenance});
    news = true;
  }
  return news;
}

GapList Calendar::Windows(const MonitorDefinition& definition, absl::Time from,
                          absl::Time until) const {
  GapList windows;
  for (const auto& [maintenance, gone_at] : entries_) {
    if (!IsAbout(maintenance, definition)) continue;
    const auto add = [&, &made_at = maintenance.created_at, &gone_at = gone_at](absl::Time start,
                                                                                absl::Time end) {
      start = std::max(start, made_at);
      end = std::min(end, gone_at);
      if (start >= end || start > until || end < from) return;
      windows.push_back({.kind = GapKind::kMaintenance, .start = start, .end = end});
    };
    if (!maintenance.recurring.has_value()) {
      add(maintenance.start, maintenance.end);
      continue;
    }
    const RecurringWindow& recurring = *maintenance.recurring;
    absl::Time start = std::max(from, maintenance.created_at) - recurring.duration;
    while ((start = recurring.expression.Next(start, recurring.zone)) <= until) {
      add(start, start + recurring.duration);
    }
  }
  return windows;
}

bool Calendar::IsOpen(const MonitorDefinition& definition, absl::Time now) const {
  const GapList windows = Windows(definition, now, now);
  return std::any_of(windows.begin(), windows.end(),
                     [now](const Gap& window) { return window.start <= now && now < window.end; });
}

absl::Time Calendar::OpenUntil(const MonitorDefinition& definition, absl::Time now) const {
  absl::Time until = absl::InfinitePast();
  for (const Gap& window : Windows(definition, definition.created_at, now)) {
    until = std::max(until, std::min(window.end, now));
  }
  return until;
}

}  // namespace tocsin::core::simulation
