// Core as it is: the engine's parts on a store in memory, in virtual time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/testing/fake_clock.h"
#include "services/core/store/memory/memory_store.h"
#include "tests/scenarios/world.h"
#include "tests/simulation/faulty_store.h"
#include "tests/simulation/replica.h"

namespace tocsin::core::scenarios {

class EngineWorld : public World {
 public:
  // Core lives every touch and sweep of the time around whatever happens; of a stretch in which
  // nothing is due, only the last `lived`: see Replica::LiveQuietly.
  EngineWorld(const MonitorDefinition& monitor, absl::Duration lived);

  void AdvanceTo(absl::Time when) override;
  std::string PushNow(const Heartbeat& heartbeat) override;
  void Do(const Admin& admin) override;
  void Do(const Change& change) override;
  void Do(const SetMaintenance& set) override;
  void Do(const DeleteMaintenance& gone) override;
  void Do(const Restart& restart) override;
  void Do(const Outage& outage) override;
  Sight Look() override;
  // It begins with the newest touch.
  absl::Duration OutageBlur() const override { return absl::Milliseconds(500); }

 private:
  void Start();
  absl::Time Now() const { return clock_.Now(); }
  bool Blind(GapKind kind) const { return Now() < blind_until_[kind == GapKind::kCore ? 0 : 1]; }
  // The end of the stretch that begins now in which nothing happens but touches.
  absl::Time QuietUntil(absl::Time when);
  void Leap(absl::Time to);
  void EndOutages();
  // Lets core do what is due now.
  void Settle();

  const std::string id_;
  const absl::Duration lived_;
  FakeClock clock_{Beginning()};
  FakeMonotonicClock monotonic_;
  MemoryStore store_{clock_};
  simulation::FaultyStore connection_{store_, 0};
  std::unique_ptr<simulation::Replica> core_;
  int starts_ = 0;
  // Of outages of core and of the gateways; in the past when there is none.
  absl::Time blind_until_[2] = {absl::InfinitePast(), absl::InfinitePast()};
  bool gateway_connected_ = false;
  absl::Time restless_until_ = absl::InfinitePast();  // after an outage
  std::vector<std::string> events_;
  std::optional<absl::Time> occurred_at_;  // the newest of them
  int64_t feed_position_ = 0;
};

}  // namespace tocsin::core::scenarios
