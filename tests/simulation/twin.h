// What a monitor must be like: its history, replayed through the pure function while it happens.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/transition.h"
#include "services/core/store/store.h"
#include "tests/simulation/calendar.h"

namespace tocsin::core::simulation {

// Told of everything that was tried on its monitor, it finds out what of that was committed, makes
// the same decisions, and says where the store differs. For one thread; `store` answers always.
class Twin {
 public:
  // Of a monitor that was just created. `calendar` knows of each maintenance that is committed
  // before the twin is told of anything else. All must outlive it.
  Twin(Store& store, const Calendar& calendar, MonitorDefinition definition,
       std::vector<std::string>& faults);

  // A push with this id may have been committed just now.
  void AfterPush(uint64_t push_id, absl::Time now);
  // Somebody asked for it just now; `done` when the answer was OK, otherwise nobody knows.
  void AfterAdmin(const Input& input, bool done, absl::Time now);
  // Somebody changed its definition just now, to what the store shows, if it was done at all.
  void AfterChange(absl::Time now);
  // Sweeps may have judged it just now.
  void AfterSweep(absl::Time now);
  // What is silent is found, what was held back is told, and what goes on is reminded of, by the
  // time that product.md promises. Not while an own outage lasts.
  void CheckPunctual(absl::Time now);

  const MonitorDefinition& definition() const { return definition_; }
  const MonitorState& state() const { return state_; }
  const std::set<uint64_t>& recorded() const { return recorded_; }
  // "FIRING", "REMINDER", "RESOLVED:recovered", …: by sequence from 1.
  const std::vector<std::string>& events() const { return events_; }
  // How many incidents were held back.
  size_t held() const { return held_; }

 private:
  // With the own outages and the windows of maintenances that are known by now.
  GapList Gaps(absl::Time now);
  Decision Apply(const Input& input, const GapList& gaps, absl::Time now);
  void CheckTold(const Decision& decision, absl::Time now);
  Monitor Stored();
  void Compare(const std::string& after, absl::Time now);
  void CheckKnowledge(absl::Time deadline, absl::Time now);
  void CheckFound(absl::Time now);
  // Until when it is not steady, if nothing happens; the past when it does not flap.
  absl::Time FlapsUntil() const;
  void CheckHeld(absl::Time now);
  void CheckReminded(absl::Time now);
  void Fault(const std::string& what, absl::Time now);

  Store& store_;
  const Calendar& calendar_;
  MonitorDefinition definition_;
  std::vector<std::string>& faults_;
  MonitorState state_;
  std::set<uint64_t> recorded_;       // push ids
  std::set<std::string> ended_runs_;  // by their ids; nothing lives for longer than kRunMemory
  std::vector<std::string> events_;
  std::string untold_end_;  // what its end says, when it is told
  size_t held_ = 0;
  absl::Time told_at_ = absl::InfinitePast();     // the newest event
  absl::Time changed_at_ = absl::InfinitePast();  // the definition
  absl::Time ran_at_ = absl::InfinitePast();      // a run began or ended
};

// "FIRING", "RESOLVED:recovered", …
std::string EventWords(const Incident& incident);

}  // namespace tocsin::core::simulation
