// What a delivery tells, as plain facts: what summaries and payloads are made of.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tocsin::notifier {

// The values of Message::type.
inline constexpr absl::string_view kIncidentOpened = "incident.opened";
inline constexpr absl::string_view kIncidentResolved = "incident.resolved";
inline constexpr absl::string_view kIncidentReminder = "incident.reminder";
inline constexpr absl::string_view kAlertsDigest = "alerts.digest";
inline constexpr absl::string_view kSystemBlind = "system.blind";
inline constexpr absl::string_view kChannelFailing = "channel.failing";
inline constexpr absl::string_view kChannelTest = "channel.test";

// The enumerations mirror those of the public proto; kUnknown stands for values of later versions.
enum class HeartbeatKind { kUnknown, kUp, kDown };
enum class EventType { kUnknown, kFiring, kResolved, kReminder };
enum class Severity { kUnknown, kCritical, kError, kWarning, kInfo };
enum class MonitorState { kUnknown, kNew, kUp, kDown, kPaused };
enum class Cause { kUnknown, kReportedDown, kMissedDeadline, kRunOverran, kValueOutOfRange };
enum class Resolution { kUnknown, kRecovered, kPaused, kDeleted, kLateHeartbeat };

struct HeartbeatFacts {
  HeartbeatKind kind = HeartbeatKind::kUnknown;
  absl::Time at;
  std::string message;
  std::optional<double> value;
  std::optional<int> exit_status;
  std::string run_id;
  std::optional<absl::Duration> run_duration;
  std::string output;  // the end of what the job put out
};

// A cron schedule.
struct CronFacts {
  std::string expression;
  std::string time_zone;  // its name
  std::optional<absl::Duration> early_tolerance;
};

struct MonitorFacts {
  std::string name;  // projects/{project}/monitors/{monitor}
  std::string display_name;
  std::string description;
  std::string owner;
  Severity severity = Severity::kUnknown;
  std::string runbook_url;
  std::map<std::string, std::string> labels;
  MonitorState state = MonitorState::kUnknown;
  // The heartbeat schedule; a timeout of zero: another one, or none that we know.
  absl::Duration timeout;
  absl::Duration recommended_interval;
  std::optional<CronFacts> cron;
  absl::Duration grace;  // of either
  // In which its times are told: that of the cron schedule, if we know it.
  absl::TimeZone zone = absl::UTCTimeZone();
  std::optional<double> value_min;
  std::optional<double> value_max;
  absl::Duration max_run_duration;  // zero: no limit
};

struct IncidentFacts {
  std::string name;  // projects/{project}/incidents/{incident}
  Cause cause = Cause::kUnknown;
  absl::Time opened_at;
  absl::Time detected_at;
  std::optional<absl::Time> closed_at;
  Resolution resolution = Resolution::kUnknown;
  std::string message;
};

struct RunFacts {
  std::string id;  // empty: the unnamed one
  absl::Time started_at;
};

struct EventFacts {
  EventType type = EventType::kUnknown;
  int64_t sequence = 0;
  absl::Time occurred_at;
  absl::Time detected_at;
  MonitorFacts monitor;
  IncidentFacts incident;
  std::optional<absl::Time> expected_at;
  std::optional<HeartbeatFacts> last_heartbeat;
  std::optional<RunFacts> run;  // that took too long
  bool flapping = false;        // nothing else is told until the monitor is steady
};

struct BlindFacts {
  absl::Time started_at;
  std::optional<absl::Time> ended_at;  // nullopt: it lasts, and no gateway is heard
  int unverified_count = 0;
  std::vector<std::string> unverified_monitors;  // some of them, full names
};

struct ChannelNoticeFacts {
  std::string channel;  // projects/{project}/channels/{channel}
  std::optional<absl::Time> failing_since;
  std::string reason;
};

// What a digest tells in all; the events of its message are the first of it.
struct DigestFacts {
  struct Count {
    EventType type = EventType::kUnknown;
    Cause cause = Cause::kUnknown;
    int64_t events = 0;
  };
  std::string project;  // projects/{project}
  std::vector<Count> counts;
  std::string url;  // of what is open in the project; empty: not known
};

struct Message {
  std::string type;
  absl::Time occurred_at;
  std::vector<EventFacts> events;  // oldest first; empty for messages about no monitor
  std::optional<DigestFacts> digest;
  std::optional<BlindFacts> blind;
  std::optional<ChannelNoticeFacts> notice;
  int skipped = 0;
  std::string url;  // of the incident that the newest event is of; empty: none, or not known
};

// The last part of a resource name; the whole when it has no parts.
absl::string_view LastPart(absl::string_view resource_name);

}  // namespace tocsin::notifier
