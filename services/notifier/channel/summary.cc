// The sentence that a person reads at three in the morning.
#include "services/notifier/channel/summary.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/number.h"
#include "services/notifier/channel/digest_summary.h"
#include "services/notifier/channel/next_step.h"
#include "services/notifier/channel/notice_summary.h"
#include "services/notifier/channel/wording.h"

namespace tocsin::notifier {
namespace {

constexpr size_t kMessageBytes = 300;  // of what a job said
constexpr size_t kNameBytes = 128;
constexpr size_t kListed = 5;  // earlier events
// A healthy Tocsin needs less, so that a longer delay is news.
constexpr absl::Duration kNoticedAtOnce = absl::Seconds(10);

// Seconds matter when the schedule is short; otherwise they only make the line longer.
Precision PrecisionOf(const MonitorFacts& monitor) {
  const bool is_short = monitor.cron.has_value() ? monitor.grace < absl::Minutes(1)
                                                 : monitor.timeout < absl::Hours(1);
  return is_short ? Precision::kSeconds : Precision::kMinutes;
}

std::string When(absl::Time time, const EventFacts& event) {
  return TimeWords(time, PrecisionOf(event.monitor), event.monitor.zone);
}

absl::string_view SeverityWord(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return "critical";
    case Severity::kWarning:
      return "warning";
    case Severity::kInfo:
      return "info";
    default:
      return "error";
  }
}

// `payments/nightly-backup "Nightly backup" (critical, @payments)`. How bad it would be does not
// matter of what is `well` again.
std::string Who(const MonitorFacts& monitor, bool well = false) {
  std::string who = ShortName(monitor.name);
  if (!monitor.display_name.empty() && monitor.display_name != LastPart(monitor.name)) {
    absl::StrAppend(&who, " ", Quoted(monitor.display_name, kNameBytes));
  }
  std::vector<std::string> parts;
  if (!well) parts.emplace_back(SeverityWord(monitor.severity));
  if (!monitor.owner.empty()) {
    parts.push_back(absl::StrCat("@", PlainText(monitor.owner, kNameBytes)));
  }
  return parts.empty() ? who : absl::StrCat(who, " (", absl::StrJoin(parts, ", "), ")");
}

// ` "disk full", exit status 2, value 12.5`, or `, exit status 2`; empty when the job said nothing.
std::string Said(const std::string& message, const std::optional<int>& exit_status,
                 const std::optional<double>& value) {
  std::vector<std::string> parts;
  if (!message.empty()) parts.push_back(Quoted(message, kMessageBytes));
  if (exit_status.has_value()) parts.push_back(absl::StrCat("exit status ", *exit_status));
  if (value.has_value()) parts.push_back(absl::StrCat("value ", NumberText(*value)));
  if (parts.empty()) return "";
  return absl::StrCat(message.empty() ? ", " : " ", absl::StrJoin(parts, ", "));
}

// What a job said that is down: "OK" is what is taken for a word where there is none.
std::string Complaint(const std::string& message) { return message == "OK" ? "" : message; }

// Whether the last heartbeat is the one that opened the incident.
bool LastIsCulprit(const EventFacts& event) {
  return event.last_heartbeat.has_value() && event.last_heartbeat->at == event.incident.opened_at &&
         (event.incident.cause == Cause::kReportedDown ||
          event.incident.cause == Cause::kValueOutOfRange);
}

// ` Last: up "backup-completed", 2026-03-09 02:04 UTC.`
std::string LastHeard(const EventFacts& event) {
  if (!event.last_heartbeat.has_value()) {
    // Its start was, at least.
    return event.incident.cause == Cause::kRunOverran ? " No run has ended yet."
                                                      : " No heartbeat was ever received.";
  }
  const HeartbeatFacts& last = *event.last_heartbeat;
  const bool down = last.kind == HeartbeatKind::kDown;
  // The cause has told what the job says as long as it is down.
  const std::string said = down ? Complaint(last.message) : last.message;
  const bool told = down && said == Complaint(event.incident.message);
  const std::string took = last.run_duration.has_value()
                               ? absl::StrCat(", took ", DurationWords(*last.run_duration))
                               : "";
  return absl::StrCat(" Last: ", down ? "down" : "up",
                      Said(told ? "" : said, last.exit_status, last.value), took, ", ",
                      When(last.at, event), ".");
}

std::string Expected(const EventFacts& event) {
  if (!event.expected_at.has_value()) return "";
  std::string words = absl::StrCat(", expected ", When(*event.expected_at, event));
  if (event.monitor.grace > absl::ZeroDuration()) {
    absl::StrAppend(&words, " + ", DurationWords(event.monitor.grace), " grace");
  }
  return words;
}

// `value 93 is above 90`.
std::string ValueWords(const MonitorFacts& monitor, const std::optional<double>& value) {
  if (!value.has_value()) return "value out of range";
  const std::string words = absl::StrCat("value ", NumberText(*value));
  if (monitor.value_max.has_value() && *value > *monitor.value_max) {
    return absl::StrCat(words, " is above ", NumberText(*monitor.value_max));
  }
  if (monitor.value_min.has_value() && *value < *monitor.value_min) {
    return absl::StrCat(words, " is below ", NumberText(*monitor.value_min));
  }
  return absl::StrCat(words, " is out of range");
}

// `run "2024-05" has taken longer than 2 h, since 2026-03-10 02:00 Europe/Paris`; when it was due
// to end, if it is not known when it began.
std::string OverrunWords(const EventFacts& event) {
  const std::string run = event.run.has_value() && !event.run->id.empty()
                              ? absl::StrCat("run ", Quoted(event.run->id, kNameBytes))
                              : "a run";
  const absl::Duration limit = event.monitor.max_run_duration;
  if (event.run.has_value() && event.expected_at.has_value()) {
    return absl::StrCat(run, " has taken longer than ",
                        DurationWords(*event.expected_at - event.run->started_at), ", since ",
                        When(event.run->started_at, event));
  }
  if (limit <= absl::ZeroDuration() || !event.expected_at.has_value()) {
    return absl::StrCat("a run takes longer than allowed, overdue since ",
                        When(event.incident.opened_at, event));
  }
  return absl::StrCat("a run has taken longer than ", DurationWords(limit), ", since ",
                      When(*event.expected_at - limit, event));
}

// `, last output "tar: disk full"`: of a job that let its output speak for it.
std::string LastOutput(const EventFacts& event) {
  const std::string& said = event.incident.message;
  if (!LastIsCulprit(event) || !(said.empty() || said == "OK")) return "";
  const absl::string_view line = LastLine(event.last_heartbeat->output);
  return line.empty() ? "" : absl::StrCat(", last output ", Quoted(line, kMessageBytes));
}

// The failure of a FIRING, with what the culprit said.
std::string Failure(const EventFacts& event) {
  const IncidentFacts& incident = event.incident;
  std::optional<int> exit_status;
  std::optional<double> value;
  if (LastIsCulprit(event)) {
    exit_status = event.last_heartbeat->exit_status;
    value = event.last_heartbeat->value;
  }
  switch (incident.cause) {
    case Cause::kMissedDeadline:
      if (event.run.has_value()) {
        return absl::StrCat("a run that began ", When(event.run->started_at, event),
                            " has not ended", Expected(event));
      }
      if (!event.last_heartbeat.has_value()) return absl::StrCat("never reported", Expected(event));
      return absl::StrCat(
          "no heartbeat for ",
          DurationWords(std::max(event.detected_at, event.occurred_at) - event.last_heartbeat->at),
          Expected(event));
    case Cause::kReportedDown:
      return absl::StrCat("reported down", Said(Complaint(incident.message), exit_status, value),
                          LastOutput(event), ", ", When(incident.opened_at, event));
    case Cause::kValueOutOfRange: {
      const bool silent = incident.message.empty() || incident.message == "OK";
      return absl::StrCat(
          ValueWords(event.monitor, value),
          silent ? "" : absl::StrCat(" (", Quoted(incident.message, kMessageBytes), ")"), ", ",
          When(incident.opened_at, event));
    }
    case Cause::kRunOverran:
      return OverrunWords(event);
    case Cause::kUnknown:
      break;
  }
  return absl::StrCat("failed", Said(incident.message, exit_status, value), ", ",
                      When(incident.opened_at, event));
}

// Why it was down, in short: for events that come after the first.
std::string ShortCause(const EventFacts& event) {
  const IncidentFacts& incident = event.incident;
  switch (incident.cause) {
    case Cause::kMissedDeadline:
      return "no heartbeat in time";
    case Cause::kReportedDown:
      return absl::StrCat("reported down", Said(Complaint(incident.message), {}, {}));
    case Cause::kValueOutOfRange:
      return absl::StrCat("value out of range", Said(Complaint(incident.message), {}, {}));
    case Cause::kRunOverran:
      return event.monitor.max_run_duration > absl::ZeroDuration()
                 ? absl::StrCat("a run took longer than ",
                                DurationWords(event.monitor.max_run_duration))
                 : "a run took longer than allowed";
    case Cause::kUnknown:
      break;
  }
  return absl::StrCat("failed", Said(incident.message, {}, {}));
}

// ` Noticed 10 m late: …`, when it was not noticed as soon as it could be seen.
std::string Delay(const EventFacts& event) {
  const bool of_run = event.incident.cause == Cause::kRunOverran;
  if (!(of_run || event.incident.cause == Cause::kMissedDeadline) || !event.expected_at) return "";
  const absl::Time due = *event.expected_at + (of_run ? absl::ZeroDuration() : event.monitor.grace);
  const absl::Duration delay = event.incident.detected_at - due;
  if (delay < kNoticedAtOnce) return "";
  const bool postponed = event.incident.opened_at > due;
  return absl::StrCat(
      " Noticed ", DurationWords(delay), " late",
      postponed ? ": a maintenance, or an outage of Tocsin itself, put its deadline off." : ".");
}

std::string DownSentence(const EventFacts& event) {
  const bool never = event.incident.cause == Cause::kMissedDeadline && !event.last_heartbeat;
  const bool says_it_all = never || LastIsCulprit(event);
  return absl::StrCat("DOWN ", Who(event.monitor), ": ", Failure(event), ".",
                      says_it_all ? "" : LastHeard(event), Delay(event));
}

std::string ReminderSentence(const EventFacts& event) {
  return absl::StrCat("STILL DOWN ", Who(event.monitor), ": for ",
                      DurationWords(event.occurred_at - event.incident.opened_at), ", since ",
                      When(event.incident.opened_at, event), ", ", ShortCause(event), ".",
                      LastHeard(event));
}

// `15 m, 2026-03-10 14:00:00 to 2026-03-10 14:15:00 UTC, no heartbeat in time`
std::string Outage(const EventFacts& resolved) {
  const IncidentFacts& incident = resolved.incident;
  const absl::Time closed = incident.closed_at.value_or(resolved.occurred_at);
  return absl::StrCat(
      DurationWords(closed - incident.opened_at), ", ",
      SpanWords(incident.opened_at, closed, PrecisionOf(resolved.monitor), resolved.monitor.zone),
      ", ", ShortCause(resolved));
}

// `told`: whether the receiver has heard of the beginning.
std::string ResolvedSentence(const EventFacts& event, bool told) {
  const Resolution how = event.incident.resolution;
  const bool well = how != Resolution::kPaused && how != Resolution::kDeleted;
  const std::string who = Who(event.monitor, well);
  // The outage says all of a heartbeat that opened it.
  const std::string last = LastIsCulprit(event) ? "" : LastHeard(event);
  const absl::string_view tail = told ? "" : " It was over before its beginning could be told.";
  switch (how) {
    case Resolution::kPaused:
      return absl::StrCat("PAUSED ", who,
                          ": not watched any more, and has not recovered. Down for ", Outage(event),
                          ".", tail, last);
    case Resolution::kDeleted:
      return absl::StrCat("DELETED ", who,
                          ": the monitor is gone, and had not recovered. Down for ", Outage(event),
                          ".", tail, last);
    case Resolution::kLateHeartbeat:
      return absl::StrCat("UP ", who,
                          ": false alarm, the heartbeat had come in time and was recorded ",
                          "late.", tail, last);
    default:
      return absl::StrCat("UP ", who, ": recovered. Was down for ", Outage(event), ".", tail, last);
  }
}

std::string EventSentence(const EventFacts& event, bool told) {
  switch (event.type) {
    case EventType::kResolved:
      return ResolvedSentence(event, told);
    case EventType::kReminder:
      return ReminderSentence(event);
    default:
      return DownSentence(event);
  }
}

std::string ShortEvent(const EventFacts& event, const EventFacts& newest) {
  absl::string_view word = "DOWN";
  if (event.type == EventType::kReminder) word = "STILL DOWN";
  if (event.type == EventType::kResolved) {
    word = event.incident.resolution == Resolution::kPaused    ? "PAUSED"
           : event.incident.resolution == Resolution::kDeleted ? "DELETED"
                                                               : "UP";
  }
  const std::string which = event.monitor.name == newest.monitor.name
                                ? ""
                                : absl::StrCat(" ", ShortName(event.monitor.name));
  return absl::StrCat(word, which, " ", When(event.occurred_at, event));
}

bool SameIncident(const EventFacts& a, const EventFacts& b) {
  return a.monitor.name == b.monitor.name && a.incident.name == b.incident.name;
}

// Whether the message itself tells the beginning of the newest event's incident, so that the
// receiver hears of it only now.
bool TellsBeginning(const std::vector<EventFacts>& events) {
  return std::any_of(events.begin(), events.end() - 1, [&events](const EventFacts& event) {
    return event.type == EventType::kFiring && SameIncident(event, events.back());
  });
}

std::string EventsSummary(const Message& message) {
  const EventFacts& newest = message.events.back();
  std::string summary = EventSentence(newest, /*told=*/!TellsBeginning(message.events));
  // What the sentence about the newest event does not say already.
  std::vector<std::string> earlier;
  for (size_t i = 0; i + 1 < message.events.size(); ++i) {
    const EventFacts& event = message.events[i];
    const bool implied = newest.type == EventType::kResolved && SameIncident(event, newest);
    if (!implied) earlier.push_back(ShortEvent(event, newest));
  }
  if (!earlier.empty()) {
    const size_t hidden = earlier.size() > kListed ? earlier.size() - kListed : 0;
    earlier.resize(earlier.size() - hidden);
    absl::StrAppend(&summary, " Before that: ", absl::StrJoin(earlier, ", "));
    if (hidden > 0) absl::StrAppend(&summary, " and ", hidden, " more");
    absl::StrAppend(&summary, ".");
  }
  if (message.skipped > 0) {
    absl::StrAppend(&summary, " ", Count(message.skipped, "event"),
                    message.skipped == 1 ? " was" : " were",
                    " left out because too many were waiting.");
  }
  if (newest.flapping) {
    absl::StrAppend(&summary,
                    " It FLAPS: it went down or came back more than 6 times within an hour. "
                    "Nothing else is told of it until it has been steady for 15 m.");
  }
  return absl::StrCat(summary, NextStep(newest));
}

}  // namespace

std::string Summarize(const Message& message) {
  if (message.digest.has_value()) return DigestSummary(message);
  if (!message.events.empty()) return EventsSummary(message);
  if (message.blind.has_value()) return BlindSummary(*message.blind, message.occurred_at);
  if (message.notice.has_value()) {
    return message.type == kChannelTest
               ? ChannelTestSummary(*message.notice)
               : ChannelFailingSummary(*message.notice, message.occurred_at);
  }
  return absl::StrCat("NOTICE ", PlainText(message.type, kNameBytes), ".");
}

}  // namespace tocsin::notifier
