// An immutable fact about an incident, with what was known when it happened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "services/core/domain/heartbeat.h"
#include "services/core/domain/incident.h"
#include "services/core/domain/keys.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/run.h"

namespace tocsin::core {

// The numbers are stored: never change one.
enum class EventType : int16_t { kFiring = 1, kResolved = 2, kReminder = 3 };

struct AlertEvent {
  EventKey key = 0;
  EventType type = EventType::kFiring;
  ProjectKey project = 0;
  MonitorKey monitor = 0;
  int64_t sequence = 0;  // counts the events of one monitor from 1, without holes
  absl::Time occurred_at;
  absl::Time detected_at;
  // The rest is a snapshot: what people are told does not change when the monitor does.
  Incident incident;
  MonitorDefinition definition;
  State state = State::kDown;               // that the event led to
  std::optional<absl::Time> expected_at;    // of the heartbeat that did not come, without the grace
  std::optional<Heartbeat> last_heartbeat;  // the newest up or down, if any
  std::optional<Run> run;                   // that took too long, when that opened the incident
  bool flapping = false;                    // nothing else is told until the monitor is steady
};

}  // namespace tocsin::core
