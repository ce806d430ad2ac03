// What happened to a monitor, one entry for each thing, in words.
#include "services/core/domain/timeline.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/any_string_view.h"
#include "services/core/domain/names.h"
#include "services/core/domain/tell.h"
#include "services/core/domain/words.h"

namespace tocsin::core {
namespace {

std::string Words(std::string_view word) {
  return absl::StrReplaceAll(AnyStringView(word).absl(), {{"_", " "}});
}

bool IsSteady(const TimelineEntry& entry) {
  return entry.kind == EntryKind::kHeartbeat && entry.why.empty();
}

// "owner: a → b, labels.team: → x".
std::string ChangesText(const std::vector<FieldChange>& changes) {
  std::string text;
  for (const FieldChange& change : changes) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", change.field, ": ", change.before,
                    change.before.empty() ? "→ " : " → ", change.after);
  }
  return text;
}

}  // namespace

TimelineEntry EntryOf(const KnownHeartbeat& known) {
  TimelineEntry entry;
  entry.at = known.heartbeat.at;
  entry.kind = EntryKind::kHeartbeat;
  entry.what = TellHeartbeat(known.heartbeat);
  if (known.reason != Reason::kRecorded) entry.why = Words(ReasonName(known.reason));
  if (known.heartbeat.run_duration.has_value()) {
    absl::StrAppend(&entry.why, entry.why.empty() ? "" : ", ", "its run took ",
                    TellSpan(*known.heartbeat.run_duration));
  }
  return entry;
}

TimelineEntry EntryOf(const RejectedPush& rejected) {
  TimelineEntry entry;
  entry.at = rejected.newest;
  entry.kind = EntryKind::kRejectedPush;
  entry.count = rejected.count;
  entry.what = absl::StrCat("refused: ", AnyStringView(RejectionText(rejected.reason)).absl());
  entry.why = rejected.detail;
  entry.actor = rejected.source;
  return entry;
}

TimelineEntry EntryOf(const PassedDeadline& passed) {
  TimelineEntry entry;
  entry.at = passed.at;
  entry.kind = EntryKind::kTransition;
  entry.deadline = passed.at;
  entry.settings = passed.settings;
  entry.what = "deadline passed";
  if (!passed.run_id.empty()) absl::StrAppend(&entry.what, " (run ", passed.run_id, ")");
  switch (passed.reason) {
    case Reason::kCounted:
      entry.why = absl::StrCat("failure ", passed.failures, " of ", passed.threshold);
      break;
    case Reason::kExcused:
      entry.why = "excused: its heartbeat may have been lost in an own outage or maintenance";
      break;
    case Reason::kStillDown:
      entry.why = "still DOWN";
      break;
    default:
      entry.why = "an incident that is told nobody";
      if (passed.held_until.has_value()) {
        absl::StrAppend(&entry.why, " before ", TellTime(*passed.held_until));
      }
      break;
  }
  absl::StrAppend(&entry.why, "; expected by ", TellTime(passed.expected_at));
  if (passed.at > passed.plain) {
    absl::StrAppend(&entry.why, ", postponed from ", TellTime(passed.plain));
  }
  return entry;
}

TimelineEntry BeginningOf(const Incident& incident, const AlertEvent* opening,
                          const std::string& project_id) {
  TimelineEntry entry;
  entry.at = incident.opened_at;
  entry.kind = EntryKind::kTransition;
  entry.what = "DOWN";
  entry.why = Words(CauseName(incident.cause));
  entry.resource = IncidentName(project_id, incident.key);
  if (!incident.message.empty() && incident.cause != Cause::kReportedDown) {
    absl::StrAppend(&entry.why, ": ", incident.message);
  }
  const bool by_time =
      incident.cause == Cause::kMissedDeadline || incident.cause == Cause::kRunOverran;
  if (by_time) entry.deadline = incident.opened_at;
  if (opening != nullptr) {
    entry.settings = SettingsText(opening->definition);
    if (opening->expected_at.has_value()) {
      absl::StrAppend(&entry.why, "; expected by ", TellTime(*opening->expected_at));
    }
  }
  if (by_time) absl::StrAppend(&entry.why, "; noticed at ", TellTime(incident.detected_at));
  if (incident.held_until.has_value()) {
    absl::StrAppend(&entry.why, "; held back until ", TellTime(*incident.held_until));
  }
  return entry;
}

std::optional<TimelineEntry> EndOf(const Incident& incident, const std::string& project_id) {
  if (!incident.closed_at.has_value()) return std::nullopt;
  TimelineEntry entry;
  entry.at = *incident.closed_at;
  entry.kind = EntryKind::kTransition;
  const Resolution resolution = incident.resolution.value_or(Resolution::kRecovered);
  const bool rests = resolution == Resolution::kPaused || resolution == Resolution::kDeleted;
  entry.what = rests ? "PAUSED" : "UP";
  entry.why = absl::StrCat(Words(ResolutionName(resolution)), " after ",
                           TellSpan(*incident.closed_at - incident.opened_at));
  entry.resource = IncidentName(project_id, incident.key);
  return entry;
}

TimelineEntry EntryOf(const AlertEvent& event) {
  TimelineEntry entry;
  entry.at = event.detected_at;
  entry.kind = EntryKind::kAlert;
  entry.what = absl::StrCat("alert ",
                            absl::AsciiStrToUpper(AnyStringView(EventTypeName(event.type)).absl()));
  if (event.detected_at - event.occurred_at > absl::Seconds(1)) {
    entry.why = absl::StrCat("of ", TellTime(event.occurred_at));
  }
  if (event.flapping) {
    absl::StrAppend(&entry.why, entry.why.empty() ? "" : "; ",
                    "flapping: what follows is told when it is steady");
  }
  entry.resource = AlertEventName(event.definition.project_id, event.key);
  entry.settings = SettingsText(event.definition);
  return entry;
}

TimelineEntry EntryOf(const KnownDelivery& known, const std::string& project_id) {
  const Delivery& delivery = known.delivery;
  TimelineEntry entry;
  entry.at = delivery.created_at;
  entry.end = delivery.finished_at;
  entry.kind = EntryKind::kDelivery;
  entry.resource = DeliveryName(project_id, delivery.id);
  const char* state = "waits for";
  switch (delivery.state) {
    case DeliveryState::kPending:
      break;
    case DeliveryState::kDelivered:
      state = "told to";
      break;
    case DeliveryState::kDead:
      state = "given up for";
      break;
    case DeliveryState::kSuperseded:
      state = "superseded for";
      break;
  }
  entry.what = absl::StrCat(DeliveryTypeName(delivery.type), " ", state, " ", known.channel);
  entry.why = TellCount(delivery.attempts, "attempt");
  if (!delivery.last_outcome.empty()) absl::StrAppend(&entry.why, ", ", delivery.last_outcome);
  if (!delivery.told_by.empty()) absl::StrAppend(&entry.why, ", within digest ", delivery.told_by);
  if (delivery.skipped > 0) absl::StrAppend(&entry.why, ", ", delivery.skipped, " left out");
  if (delivery.finished_at.has_value()) {
    absl::StrAppend(&entry.why, ", at ", TellTime(*delivery.finished_at));
  } else {
    absl::StrAppend(&entry.why, ", next at ", TellTime(delivery.next_attempt_at));
  }
  return entry;
}

TimelineEntry EntryOf(const Gap& gap) {
  TimelineEntry entry;
  entry.at = gap.start;
  entry.end = gap.end;
  entry.kind = EntryKind::kOwnOutage;
  entry.what = "own outage";
  switch (gap.kind) {
    case GapKind::kGateway:
      entry.why = "no gateway was connected";
      break;
    case GapKind::kShed:
      entry.why = "gateways had to refuse pushes";
      break;
    default:
      entry.why = "no core could record";
      break;
  }
  absl::StrAppend(&entry.why, ", for ", TellSpan(gap.end - gap.start));
  return entry;
}

TimelineEntry EntryOf(const KnownWindow& known) {
  const Maintenance& maintenance = known.maintenance;
  const bool mute = maintenance.kind == MaintenanceKind::kMute;
  TimelineEntry entry;
  entry.at = known.window.start;
  entry.end = known.window.end;
  entry.kind = mute ? EntryKind::kMute : EntryKind::kMaintenance;
  entry.what = mute ? "muted" : "maintenance";
  entry.why = absl::StrCat("until ", TellTime(known.window.end), ": ", maintenance.reason);
  entry.actor = maintenance.author;
  entry.resource = mute ? MuteName(maintenance.project_id, maintenance.id)
                        : MaintenanceName(maintenance.project_id, maintenance.id);
  return entry;
}

TimelineEntry EntryOf(const AuditRecord& record) {
  TimelineEntry entry;
  entry.at = record.at;
  entry.kind = EntryKind::kChange;
  const std::string& method = record.caller.method;
  const size_t slash = method.rfind('/');
  entry.what = slash == std::string::npos ? method : method.substr(slash + 1);
  entry.why = ChangesText(record.changes);
  entry.actor = record.caller.actor;
  entry.resource = record.resource;
  return entry;
}

void Sort(std::vector<TimelineEntry>& entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const TimelineEntry& a, const TimelineEntry& b) {
                     return std::pair(a.at, a.kind) < std::pair(b.at, b.kind);
                   });
}

std::vector<TimelineEntry> Folded(std::vector<TimelineEntry> entries) {
  std::vector<TimelineEntry> folded;
  for (TimelineEntry& entry : entries) {
    TimelineEntry* last = folded.empty() ? nullptr : &folded.back();
    if (last == nullptr || !IsSteady(*last) || !IsSteady(entry) || last->what != entry.what) {
      folded.push_back(std::move(entry));
      continue;
    }
    last->count += 1;
    last->end = entry.at;
  }
  return folded;
}

}  // namespace tocsin::core
