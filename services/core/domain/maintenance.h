// Work that people announce: windows in which nothing is told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/cron.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/keys.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/selector.h"
#include "services/core/domain/time_zone.h"

namespace tocsin::core {

// Opens whenever the expression fires.
struct RecurringWindow {
  CronExpression expression;
  NamedZone zone;
  absl::Duration duration;

  friend bool operator==(const RecurringWindow& a, const RecurringWindow& b) {
    return a.expression == b.expression && a.zone.name() == b.zone.name() &&
           a.duration == b.duration;
  }
};

// The numbers are stored: never change one.
enum class MaintenanceKind : int16_t {
  kMaintenance = 1,
  kMute = 2,  // comes once, from its creation on, and moves no deadline
};

struct Maintenance {
  MaintenanceKey key = 0;
  MaintenanceKind kind = MaintenanceKind::kMaintenance;
  ProjectKey project = 0;
  std::string project_id;
  std::string id;
  std::string display_name;
  std::string reason;
  std::string author;  // the actor who made it
  std::string selector;
  std::vector<std::string> monitors;  // ids
  bool all_monitors = false;
  // Either once, or again and again; then start and end say nothing.
  absl::Time start;
  absl::Time end;
  std::optional<RecurringWindow> recurring{};
  absl::Time created_at;
  absl::Time updated_at;
  // Nobody sees it from then on, but the windows that had begun still moved deadlines: a job that
  // rested in one has its interval from then.
  std::optional<absl::Time> deleted_at{};
  int64_t version = 0;

  friend bool operator==(const Maintenance&, const Maintenance&) = default;
};

using Maintenances = std::vector<Maintenance>;

struct MaintenanceWindow {
  absl::Time start;
  absl::Time end;  // exclusive
};

inline constexpr int kMaxMaintenances = 1000;  // of a project

// Cuts times to whole microseconds and gives the display name its default.
void FillDefaults(Maintenance& maintenance);
// All but the id. `prefix` is "maintenance" or "mute".
void ValidateMaintenance(const Maintenance& maintenance, std::string_view prefix,
                         FieldFaults& faults);

// Whether it is about that monitor.
bool Covers(const Maintenance& maintenance, const MonitorDefinition& definition);

// The newest window that began at or before `at`, from the creation on at the earliest and until
// the deletion at most; nullopt: none has begun by then.
std::optional<MaintenanceWindow> WindowBegunBy(const Maintenance& maintenance, absl::Time at);
// The window that is open at `now`, or else the next one.
std::optional<MaintenanceWindow> NextWindow(const Maintenance& maintenance, absl::Time now);

// `gaps`, with those windows about the monitor that matter at `now`: to its deadline (DeadlineOf)
// and to what is told (Decide). In order of end.
GapList WithMaintenances(const GapList& gaps, const Maintenances& maintenances,
                         const MonitorDefinition& definition, const MonitorState& state,
                         absl::Time now);

// Until when a window of these is open that is open at `now`, of a maintenance or a mute; nullopt:
// none is.
std::optional<absl::Time> MaintainedUntil(const GapList& gaps, absl::Time now);
std::optional<absl::Time> MutedUntil(const GapList& gaps, absl::Time now);

}  // namespace tocsin::core
