// Core as the rules describe it, without any of its machinery: the pure function, the deadline
// formula, and a sweeper and own outages that are exactly as product.md says.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/gap.h"
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
  // Nothing that matters is in memory, so there is nothing to do.
  void Do(const Restart& restart) override;
  void Do(const Outage& outage) override;
  Sight Look() override;

 private:
  bool Blind(GapKind kind) const;
  void EndOutages();
  // When the sweeper may next judge the deadline; InfiniteFuture when nothing is due.
  absl::Time NextJudgement() const;
  Decision Apply(const Input& input);

  MonitorDefinition definition_;
  MonitorState state_;
  absl::Time now_;
  GapList outages_;  // not over yet
  GapList gaps_;
  std::vector<std::string> events_;
  std::map<std::string, absl::Time> ended_runs_;  // when their ends were recorded
};

}  // namespace tocsin::core::scenarios
