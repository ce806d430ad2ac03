// The words of the glossary for every enumeration.
#include "services/core/domain/words.h"

#include <string>

#include "services/core/domain/delivery.h"
#include "services/core/domain/transition.h"

namespace tocsin::core {
namespace {

constexpr std::string_view kUnknownWord = "unknown";

}  // namespace

std::string_view HeartbeatKindName(HeartbeatKind kind) {
  switch (kind) {
    case HeartbeatKind::kUp:
      return "up";
    case HeartbeatKind::kDown:
      return "down";
    case HeartbeatKind::kStart:
      return "start";
    case HeartbeatKind::kLog:
      return "log";
  }
  return kUnknownWord;
}

std::string_view SourceName(Source source) {
  switch (source) {
    case Source::kUnknown:
      return kUnknownWord;
    case Source::kHttp:
      return "http";
    case Source::kGrpc:
      return "grpc";
  }
  return kUnknownWord;
}

std::string_view StateName(State state) {
  switch (state) {
    case State::kNew:
      return "new";
    case State::kUp:
      return "up";
    case State::kDown:
      return "down";
    case State::kPaused:
      return "paused";
  }
  return kUnknownWord;
}

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return "critical";
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kInfo:
      return "info";
  }
  return kUnknownWord;
}

std::string_view CauseName(Cause cause) {
  switch (cause) {
    case Cause::kReportedDown:
      return "reported_down";
    case Cause::kMissedDeadline:
      return "missed_deadline";
    case Cause::kRunOverran:
      return "run_overran";
    case Cause::kValueOutOfRange:
      return "value_out_of_range";
  }
  return kUnknownWord;
}

std::string_view ResolutionName(Resolution resolution) {
  switch (resolution) {
    case Resolution::kRecovered:
      return "recovered";
    case Resolution::kPaused:
      return "paused";
    case Resolution::kDeleted:
      return "deleted";
    case Resolution::kLateHeartbeat:
      return "late_heartbeat";
  }
  return kUnknownWord;
}

std::string_view EventTypeName(EventType type) {
  switch (type) {
    case EventType::kFiring:
      return "firing";
    case EventType::kResolved:
      return "resolved";
    case EventType::kReminder:
      return "reminder";
  }
  return kUnknownWord;
}

std::optional<Severity> ParseSeverity(std::string_view name) {
  for (const Severity severity :
       {Severity::kCritical, Severity::kError, Severity::kWarning, Severity::kInfo}) {
    if (SeverityName(severity) == name) return severity;
  }
  return std::nullopt;
}

std::optional<State> ParseState(std::string_view name) {
  for (const State state : {State::kNew, State::kUp, State::kDown, State::kPaused}) {
    if (StateName(state) == name) return state;
  }
  return std::nullopt;
}

std::string DeliveryTypeName(DeliveryType type) {
  switch (type) {
    case DeliveryType::kIncidentOpened:
      return "incident.opened";
    case DeliveryType::kIncidentResolved:
      return "incident.resolved";
    case DeliveryType::kIncidentReminder:
      return "incident.reminder";
    case DeliveryType::kDigest:
      return "alerts.digest";
    case DeliveryType::kSystemBlind:
      return "system.blind";
    case DeliveryType::kChannelFailing:
      return "channel.failing";
    case DeliveryType::kChannelTest:
      return "channel.test";
  }
  return std::string(kUnknownWord);
}

std::string_view ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kRecorded:
      return "recorded";
    case Reason::kFirstHeartbeat:
      return "first_heartbeat";
    case Reason::kReportedDown:
      return "reported_down";
    case Reason::kStillDown:
      return "still_down";
    case Reason::kCounted:
      return "counted";
    case Reason::kRecovered:
      return "recovered";
    case Reason::kLateHeartbeat:
      return "late_heartbeat";
    case Reason::kStale:
      return "stale";
    case Reason::kLogged:
      return "logged";
    case Reason::kRunStarted:
      return "run_started";
    case Reason::kStoredPaused:
      return "stored_paused";
    case Reason::kMissed:
      return "missed";
    case Reason::kNotDue:
      return "not_due";
    case Reason::kPaused:
      return "paused";
    case Reason::kResumed:
      return "resumed";
    case Reason::kReconfigured:
      return "reconfigured";
    case Reason::kDeleted:
      return "deleted";
    case Reason::kUndeleted:
      return "undeleted";
    case Reason::kNothingToDo:
      return "nothing_to_do";
    case Reason::kRunEnded:
      return "run_ended";
    case Reason::kRunOverran:
      return "run_overran";
    case Reason::kExcused:
      return "excused";
    case Reason::kReminded:
      return "reminded";
    case Reason::kOutOfRange:
      return "value_out_of_range";
    case Reason::kTooManyRuns:
      return "too_many_runs";
    case Reason::kToldAfterHold:
      return "told_after_hold";
    case Reason::kHeldBack:
      return "held_back";
  }
  return kUnknownWord;
}

}  // namespace tocsin::core
