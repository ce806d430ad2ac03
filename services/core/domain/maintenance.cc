// Windows in which nothing is told.
#include "services/core/domain/maintenance.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/domain/deadline.h"
#include "services/core/domain/text.h"
#include "services/core/domain/validate.h"

namespace tocsin::core {
namespace {

constexpr size_t kMaxReasonBytes = 1024;
constexpr size_t kMaxMonitors = 100;
constexpr absl::Duration kMinRecurring = absl::Minutes(1);
constexpr absl::Duration kMaxRecurring = absl::Hours(24 * 7);
constexpr absl::Duration kMaxOnce = absl::Hours(24 * 366);
constexpr absl::CivilSecond kYearLookedAt(2024);  // any; this one has a 29 February

absl::Time Micros(absl::Time time) { return absl::FromUnixMicros(absl::ToUnixMicros(time)); }

// Whether each window begins before the one before it is over. Days that have any have the same, so
// one is looked at as a whole, and of a year's the last window of each. In UTC: that a day of the
// year has an hour more is no end.
bool NeverCloses(const RecurringWindow& recurring) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const auto closes = [&](absl::Time start) {
    const absl::Time next = recurring.expression.Next(start, utc);
    return next == absl::InfiniteFuture() || start + recurring.duration < next;
  };
  absl::Time start = recurring.expression.Next(absl::FromCivil(kYearLookedAt, utc), utc);
  if (start == absl::InfiniteFuture()) return false;
  const absl::CivilDay first = absl::ToCivilDay(start, utc);
  for (; absl::ToCivilDay(start, utc) == first; start = recurring.expression.Next(start, utc)) {
    if (closes(start)) return false;
  }
  for (absl::CivilDay day = first; day < first + 366; ++day) {
    const absl::Time last = recurring.expression.Previous(absl::FromCivil(day + 1, utc), utc);
    if (closes(last)) return false;
  }
  return true;
}

void ValidateWindow(const Maintenance& maintenance, const std::string& below, FieldFaults& faults) {
  if (maintenance.kind == MaintenanceKind::kMute) {
    if (maintenance.end <= maintenance.start || maintenance.end - maintenance.start > kMaxOnce) {
      faults.Add(below + "expire_time", "it is missing, or not in the future, or too far away",
                 "a time after now, by at most 366 days");
    }
    return;
  }
  if (maintenance.recurring.has_value()) {
    const absl::Duration duration = maintenance.recurring->duration;
    if (duration < kMinRecurring || duration > kMaxRecurring) {
      faults.Add(below + "recurring.duration",
                 duration == absl::ZeroDuration()
                     ? "missing or 0"
                     : absl::StrCat("it is ", absl::FormatDuration(duration)),
                 "1 min to 7 days");
    } else if (NeverCloses(*maintenance.recurring)) {
      faults.Add(below + "recurring.duration",
                 absl::StrCat("it is ", absl::FormatDuration(duration),
                              ", and the next window always begins before one is over: nothing "
                              "would ever be told"),
                 "less than the time between windows");
    }
    return;
  }
  if (maintenance.end <= maintenance.start || maintenance.end - maintenance.start > kMaxOnce) {
    faults.Add(below + "one_off.end_time", "it is missing, or not after the beginning, or too long",
               "a time after start_time, by at most 366 days; or a recurring window");
  }
}

// Nothing that ended before matters to a deadline.
absl::Time CountedSince(const MonitorState& state) {
  absl::Time since = std::max(state.last_at, state.armed_at);
  if (state.credit_at != absl::InfinitePast()) since = std::min(since, state.credit_at);
  for (const Run& run : state.runs) since = std::min(since, run.started_at);
  return since;
}

// What of the window lies within the life of the maintenance, if that began by `at`.
std::optional<MaintenanceWindow> WithinLife(const Maintenance& maintenance,
                                            MaintenanceWindow window, absl::Time at) {
  window.start = std::max(window.start, maintenance.created_at);
  if (maintenance.deleted_at.has_value()) {
    window.end = std::min(window.end, *maintenance.deleted_at);
  }
  if (window.end <= window.start || window.start > at) return std::nullopt;
  return window;
}

std::optional<absl::Time> OpenUntil(const GapList& gaps, GapKind kind, absl::Time now) {
  std::optional<absl::Time> until;
  for (const Gap& gap : gaps) {
    if (gap.kind != kind || gap.start > now || gap.end <= now) continue;
    until = std::max(until.value_or(gap.end), gap.end);
  }
  return until;
}

}  // namespace

void FillDefaults(Maintenance& maintenance) {
  if (maintenance.display_name.empty()) maintenance.display_name = maintenance.id;
  if (maintenance.recurring.has_value()) {
    absl::Duration& duration = maintenance.recurring->duration;
    duration = absl::Trunc(duration, absl::Microseconds(1));
  } else {
    maintenance.start = Micros(maintenance.start);
    maintenance.end = Micros(maintenance.end);
  }
}

void ValidateMaintenance(const Maintenance& maintenance, std::string_view prefix,
                         FieldFaults& faults) {
  const std::string below = std::string(prefix) + ".";
  ValidateDisplayName(maintenance.display_name, below + "display_name", faults);
  if (maintenance.reason.empty() || maintenance.reason.size() > kMaxReasonBytes ||
      !IsCleanText(maintenance.reason)) {
    faults.Add(below + "reason", maintenance.reason.empty() ? "missing" : "too long or no text",
               "why, in 1 to 1,024 bytes of UTF-8 without NUL");
  }
  const absl::StatusOr<Selector> selector = ParseSelector(maintenance.selector, below + "selector");
  if (!selector.ok()) faults.Append(selector.status(), "");
  if (maintenance.monitors.size() > kMaxMonitors) {
    faults.Add(below + "monitors", absl::StrCat("there are ", maintenance.monitors.size()),
               "at most 100 monitors; or a selector");
  }
  if (maintenance.selector.empty() && maintenance.monitors.empty() && !maintenance.all_monitors) {
    faults.Add(below + "selector", "it is about no monitor",
               maintenance.kind == MaintenanceKind::kMute
                   ? "a selector, or names of monitors"
                   : "a selector, names of monitors, or all_monitors");
  }
  ValidateWindow(maintenance, below, faults);
}

bool Covers(const Maintenance& maintenance, const MonitorDefinition& definition) {
  if (maintenance.project != definition.project) return false;
  if (maintenance.all_monitors) return true;
  const auto& named = maintenance.monitors;
  if (std::find(named.begin(), named.end(), definition.id) != named.end()) return true;
  const absl::StatusOr<Selector> selector = ParseSelector(maintenance.selector, "selector");
  return selector.ok() && Matches(*selector, definition);
}

std::optional<MaintenanceWindow> WindowBegunBy(const Maintenance& maintenance, absl::Time at) {
  if (maintenance.deleted_at.has_value()) at = std::min(at, *maintenance.deleted_at);
  if (!maintenance.recurring.has_value()) {
    if (maintenance.start > at) return std::nullopt;
    return WithinLife(maintenance, {.start = maintenance.start, .end = maintenance.end}, at);
  }
  const RecurringWindow& recurring = *maintenance.recurring;
  const absl::Time start = recurring.expression.Previous(at, recurring.zone);
  if (start == absl::InfinitePast()) return std::nullopt;
  return WithinLife(maintenance, {.start = start, .end = start + recurring.duration}, at);
}

std::optional<MaintenanceWindow> NextWindow(const Maintenance& maintenance, absl::Time now) {
  const std::optional<MaintenanceWindow> begun = WindowBegunBy(maintenance, now);
  if (begun.has_value() && begun->end > now) return begun;
  if (!maintenance.recurring.has_value()) {
    if (maintenance.start <= now) return std::nullopt;
    return MaintenanceWindow{.start = maintenance.start, .end = maintenance.end};
  }
  const RecurringWindow& recurring = *maintenance.recurring;
  const absl::Time start = recurring.expression.Next(now, recurring.zone);
  if (start == absl::InfiniteFuture()) return std::nullopt;
  return MaintenanceWindow{.start = start, .end = start + recurring.duration};
}

GapList WithMaintenances(const GapList& gaps, const Maintenances& maintenances,
                         const MonitorDefinition& definition, const MonitorState& state,
                         absl::Time now) {
  GapList all = gaps;
  const absl::Time since = CountedSince(state);
  std::optional<absl::Time> plain;
  for (const Maintenance& maintenance : maintenances) {
    // Most are over for long.
    const absl::Time gone = maintenance.deleted_at.value_or(absl::InfiniteFuture());
    const absl::Time end =
        maintenance.recurring.has_value() ? gone : std::min(gone, maintenance.end);
    if (end < std::min(since, now)) continue;
    if (!Covers(maintenance, definition)) continue;
    if (!plain.has_value()) plain = DeadlineOf(definition, state, {}).plain;
    // The last one that overlaps what leads to the deadline is the one that moves it.
    for (const absl::Time at : {*plain, now}) {
      if (at == absl::InfiniteFuture()) continue;
      const std::optional<MaintenanceWindow> window = WindowBegunBy(maintenance, at);
      if (!window.has_value()) continue;
      const bool mute = maintenance.kind == MaintenanceKind::kMute;
      const Gap gap = {.kind = mute ? GapKind::kMute : GapKind::kMaintenance,
                       .start = window->start,
                       .end = window->end};
      if (std::find(all.begin(), all.end(), gap) == all.end()) all.push_back(gap);
    }
  }
  if (all.size() > gaps.size()) {
    std::stable_sort(all.begin(), all.end(),
                     [](const Gap& a, const Gap& b) { return a.end < b.end; });
  }
  return all;
}

std::optional<absl::Time> MaintainedUntil(const GapList& gaps, absl::Time now) {
  return OpenUntil(gaps, GapKind::kMaintenance, now);
}

std::optional<absl::Time> MutedUntil(const GapList& gaps, absl::Time now) {
  return OpenUntil(gaps, GapKind::kMute, now);
}

}  // namespace tocsin::core
