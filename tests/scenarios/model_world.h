// Core as the rules describe it, without any of its machinery: the pure function, the deadline
// formula, and a sweeper and own outages that are exactly as product.md says.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/gap.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/transition.h"
#include "tests/scenarios/world.h"

namespace tocsin::core::scenarios {

class ModelWorld : public World {
 public:
  explicit ModelWorld(const MonitorDefinition& monitor);

  void AdvanceTo(absl::Time when) override;
  std::string PushNow(const Heartbeat& heartbeat) override;
  void Do(const Admin& admin) override;
  void Do(const Change& change) override;
  void Do(const SetMaintenance& set) override;
  void Do(const DeleteMaintenance& gone) override;
  // Nothing that matters is in memory, so there is nothing to do.
  void Do(const Restart& restart) override;
  void Do(const Outage& outage) override;
  Sight Look() override;

 private:
  bool Blind(GapKind kind) const;
  void EndOutages();
  // Those that are known by now, with the windows of maintenances.
  GapList Gaps() const;
  // When the sweeper may next judge, or tell; InfiniteFuture when nothing is due. A window that
  // begins until then may put it off.
  absl::Time NextJudgement() const;
  Decision Apply(const Input& input);
  void Tell(const std::string& event, absl::Time at);

  MonitorDefinition definition_;
  MonitorState state_;
  absl::Time now_;
  GapList outages_;  // not over yet
  GapList gaps_;
  Maintenances maintenances_;
  std::vector<std::string> events_;
  absl::Time untold_closed_at_;
  std::optional<absl::Time> occurred_at_;         // the newest of them
  std::map<std::string, absl::Time> ended_runs_;  // when their ends were recorded
};

}  // namespace tocsin::core::scenarios
