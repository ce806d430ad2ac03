// What is known of a monitor around a time that somebody asks about.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/alert_event.h"
#include "services/core/domain/audit.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/delivery.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/heartbeat.h"
#include "services/core/domain/incident.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/passed_deadline.h"
#include "services/core/domain/rejected_push.h"
#include "services/core/domain/transition.h"

namespace tocsin::core {

// A heartbeat, and what it did.
struct KnownHeartbeat {
  Heartbeat heartbeat;
  Reason reason = Reason::kRecorded;
};

struct KnownDelivery {
  Delivery delivery;
  std::string channel;  // id
};

// A window of a maintenance or a mute.
struct KnownWindow {
  Maintenance maintenance;
  MaintenanceWindow window;
};

// An incident and what became of it.
struct OutageEvidence {
  Incident incident;
  std::optional<AlertEvent> firing;  // nullopt: nobody was told
  std::vector<KnownDelivery> deliveries;
  std::optional<KnownHeartbeat> before;  // the newest up or down until it began, with that
  std::optional<KnownHeartbeat> ended;   // the heartbeat that ended it
  std::optional<PassedDeadline> passed;  // with a deadline that opened it and is told nobody
  std::vector<RejectedPush> rejected;    // between `before` and its end
  std::vector<KnownWindow> windows;      // open when it was detected
  GapList gaps;                          // own outages that overlap what led to its deadline
};

struct Evidence {
  absl::Time at;   // what is asked about
  absl::Time now;  // never before `at`
  // As they were at `at`, as far as that is known; see past_state.h.
  MonitorDefinition definition;
  MonitorState state;
  GapList gaps;                        // as for DeadlineOf
  std::vector<KnownWindow> windows;    // open at `at`
  std::vector<Channel> channels;       // of the project, as they are now
  std::vector<PassedDeadline> passed;  // since the last heartbeat and until `at`, newest first
  std::vector<RejectedPush> rejected;  // the same
  std::optional<KnownHeartbeat> last;  // the newest up or down until `at`
  bool heard_later = false;            // there is no `last`, but there were some after `at`
  std::optional<AuditRecord> rested;   // who paused or deleted it; with a state of rest
  std::optional<OutageEvidence> outage;
};

}  // namespace tocsin::core
