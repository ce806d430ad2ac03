// A timeline of one monitor, as written in the .txt files of this folder.
//
// The files are for people to read and write; README.md of this folder describes the language.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/heartbeat.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/monitor.h"

namespace tocsin::core::scenarios {

// Second 0 of every scenario.
inline absl::Time Beginning() { return absl::FromUnixSeconds(1767614400); }

// Instants of a scenario count from its beginning, 0s, when the monitor is created.
using Instant = absl::Duration;

struct Push {
  HeartbeatKind kind = HeartbeatKind::kUp;
  std::string message;
  std::optional<Instant> received;  // when that was before the push was recorded
  Source source = Source::kHttp;
  std::string run_id;
  std::optional<double> value;
  std::string gives;  // the reason that is expected; empty: any
};

struct Admin {
  enum class What { kPause, kResume, kDelete, kUndelete };
  What what = What::kPause;
};

// What one setting of a monitor or of a change to it does.
using Edit = std::function<void(MonitorDefinition&)>;

struct Change {
  std::vector<Edit> edits;
};

// Makes the maintenance, or changes what is named of one that is there.
struct SetMaintenance {
  std::string id;
  std::vector<std::function<void(Maintenance&)>> edits;
};

struct DeleteMaintenance {
  std::string id;
};

// Every process of core ends and a new one starts at once.
struct Restart {};

struct Outage {
  GapKind kind = GapKind::kCore;
  absl::Duration length;
};

// What must hold at that instant; what is absent is not looked at.
struct Expect {
  std::optional<State> state;
  std::optional<std::string> cause;
  std::optional<Instant> opened_at;
  // The incident was noticed at most so long after it opened.
  std::optional<absl::Duration> noticed_within;
  std::optional<std::string> message;
  std::optional<std::string> condition;
  std::optional<Instant> deadline;  // InfiniteDuration: none
  std::optional<int32_t> failures;
  std::optional<bool> unverified;
  std::optional<bool> maintained;
  std::optional<Instant> occurred_at;              // of the newest event
  std::optional<std::vector<std::string>> events;  // all so far, e.g. "FIRING", "RESOLVED:paused"
};

using Action =
    std::variant<Push, Admin, Change, SetMaintenance, DeleteMaintenance, Restart, Outage, Expect>;

struct Step {
  Instant at;
  Action action;
  int line = 0;  // of the file, for messages
};

struct Scenario {
  std::string name;
  MonitorDefinition monitor;  // its schedule and flags
  std::vector<Step> steps;    // in order of time, and of the file where times are equal
  bool never_down = false;
};

// INVALID_ARGUMENT says the line that is wrong and why.
absl::StatusOr<Scenario> ParseScenario(const std::string& name, const std::string& text);

// "1d2h3m4.5s".
absl::StatusOr<absl::Duration> ParseLength(const std::string& text);

}  // namespace tocsin::core::scenarios
