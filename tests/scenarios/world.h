// What a scenario happens to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/condition.h"
#include "services/core/domain/heartbeat.h"
#include "services/core/domain/monitor.h"
#include "tests/scenarios/scenario.h"

namespace tocsin::core::scenarios {

// How long after a deadline it may be judged at the latest while nothing is wrong, and how long
// judging rests after an own outage: the gateways' retry time and one second.
inline constexpr absl::Duration kNoticeTime = absl::Seconds(1);
inline constexpr absl::Duration kRestAfterOutage = absl::Seconds(6);

// What can be seen at an instant.
struct Sight {
  Monitor monitor;
  ConditionView view;
  bool maintained = false;                // a window of a maintenance about it is open
  std::vector<std::string> events;        // e.g. "FIRING", "RESOLVED:recovered", oldest first
  std::optional<absl::Time> occurred_at;  // of the newest event
};

// A maintenance as it is before it has settings: about every monitor, from `now` on.
inline Maintenance NewMaintenance(const std::string& id, absl::Time now) {
  Maintenance maintenance;
  maintenance.project_id = "default";
  maintenance.id = id;
  maintenance.reason = "work";
  maintenance.all_monitors = true;
  maintenance.start = now;
  return maintenance;
}

// One monitor that exists since Beginning(), watched by core.
class World {
 public:
  virtual ~World() = default;

  // Lets time pass, and core do what it does by itself.
  virtual void AdvanceTo(absl::Time when) = 0;
  // Returns the reason of the decision, or "lost" when nobody could receive it.
  virtual std::string PushNow(const Heartbeat& heartbeat) = 0;
  virtual void Do(const Admin& admin) = 0;
  virtual void Do(const Change& change) = 0;
  virtual void Do(const SetMaintenance& set) = 0;
  virtual void Do(const DeleteMaintenance& gone) = 0;
  virtual void Do(const Restart& restart) = 0;
  // Begins now.
  virtual void Do(const Outage& outage) = 0;
  virtual Sight Look() = 0;
  // How much earlier an own outage may seem to begin than it did.
  virtual absl::Duration OutageBlur() const { return absl::ZeroDuration(); }
};

}  // namespace tocsin::core::scenarios
