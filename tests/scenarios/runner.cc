// Lets a scenario happen to a world and tells every expectation that fails.
#include "tests/scenarios/runner.h"

#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/core/domain/words.h"

namespace tocsin::core::scenarios {
namespace {

std::string ConditionName(Condition condition) {
  switch (condition) {
    case Condition::kNew:
      return "NEW";
    case Condition::kNeverReported:
      return "NEVER_REPORTED";
    case Condition::kUp:
      return "UP";
    case Condition::kLate:
      return "LATE";
    case Condition::kRunning:
      return "RUNNING";
    case Condition::kDown:
      return "DOWN";
    case Condition::kPaused:
      return "PAUSED";
  }
  return "";
}

std::string Since(absl::Time when) {
  return when == absl::InfiniteFuture() ? "none" : absl::FormatDuration(when - Beginning());
}

class Performance {
 public:
  Performance(const Scenario& scenario, World& world) : scenario_(scenario), world_(world) {}

  std::vector<std::string> All() {
    for (const Step& step : scenario_.steps) {
      world_.AdvanceTo(Beginning() + step.at);
      step_ = &step;
      std::visit([this](const auto& action) { Take(action); }, step.action);
    }
    if (scenario_.never_down && !world_.Look().events.empty()) {
      Fail("the monitor was DOWN, which it never should be");
    }
    return faults_;
  }

 private:
  void Fail(const std::string& what) {
    faults_.push_back(absl::StrCat(scenario_.name, ":", step_ == nullptr ? 0 : step_->line, " at ",
                                   step_ == nullptr ? "" : absl::FormatDuration(step_->at), ": ",
                                   what));
  }

  void Compare(absl::string_view what, const std::string& expected, const std::string& found) {
    if (expected != found) {
      Fail(absl::StrCat(what, " is \"", found, "\", expected \"", expected, "\""));
    }
  }

  void Take(const Push& push) {
    Heartbeat heartbeat;
    heartbeat.kind = push.kind;
    heartbeat.message = push.message;
    heartbeat.source = push.source;
    heartbeat.run_id = push.run_id;
    heartbeat.value = push.value;
    heartbeat.at = Beginning() + push.received.value_or(step_->at);
    heartbeat.push_id = ++pushes_;
    const std::string reason = world_.PushNow(heartbeat);
    if (!push.gives.empty()) Compare("the answer", push.gives, reason);
  }
  void Take(const Admin& admin) { world_.Do(admin); }
  void Take(const Change& change) { world_.Do(change); }
  void Take(const SetMaintenance& set) { world_.Do(set); }
  void Take(const DeleteMaintenance& gone) { world_.Do(gone); }
  void Take(const Restart& restart) { world_.Do(restart); }
  void Take(const Outage& outage) { world_.Do(outage); }

  void Take(const Expect& expect) {
    const Sight sight = world_.Look();
    const MonitorState& state = sight.monitor.state;
    if (expect.state) {
      Compare("the state", std::string(StateName(*expect.state)),
              std::string(StateName(state.state)));
    }
    if (expect.condition) {
      Compare("the condition", *expect.condition, ConditionName(sight.view.condition));
    }
    if (expect.deadline) {
      Compare("the deadline",
              *expect.deadline == absl::InfiniteDuration() ? "none"
                                                           : absl::FormatDuration(*expect.deadline),
              Since(sight.view.deadline.at));
    }
    if (expect.failures) {
      Compare("the number of failures", absl::StrCat(*expect.failures),
              absl::StrCat(state.failures));
    }
    if (expect.unverified && *expect.unverified != sight.view.unverified) {
      Fail(*expect.unverified ? "it is not unverified" : "it is unverified");
    }
    if (expect.maintained && *expect.maintained != sight.maintained) {
      Fail(*expect.maintained ? "it is not in a maintenance" : "it is in a maintenance");
    }
    if (expect.occurred_at) {
      Compare("the time of the newest event", absl::FormatDuration(*expect.occurred_at),
              sight.occurred_at ? Since(*sight.occurred_at) : "that of none");
    }
    if (expect.events) {
      Compare("the list of events", absl::StrJoin(*expect.events, " "),
              absl::StrJoin(sight.events, " "));
    }
    TakeIncident(expect, state);
  }

  void TakeIncident(const Expect& expect, const MonitorState& state) {
    if (!expect.cause && !expect.opened_at && !expect.noticed_within && !expect.message) return;
    if (!state.incident.has_value()) return Fail("no incident is open");
    const Incident& incident = *state.incident;
    if (expect.cause) Compare("the cause", *expect.cause, std::string(CauseName(incident.cause)));
    if (expect.opened_at) {
      Compare("the time of opening", absl::FormatDuration(*expect.opened_at),
              Since(incident.opened_at));
    }
    if (expect.message) Compare("the message", *expect.message, incident.message);
    const absl::Duration taken = incident.detected_at - incident.opened_at;
    if (expect.noticed_within && taken > *expect.noticed_within) {
      Fail(absl::StrCat("it was noticed after ", absl::FormatDuration(taken)));
    }
  }

  const Scenario& scenario_;
  World& world_;
  const Step* step_ = nullptr;
  uint64_t pushes_ = 0;
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<std::string> Perform(const Scenario& scenario, World& world) {
  return Performance(scenario, world).All();
}

}  // namespace tocsin::core::scenarios
