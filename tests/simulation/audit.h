// Holds what is stored and what was sent against the promises, when all is over.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "services/core/store/store.h"
#include "tests/simulation/receivers.h"
#include "tests/simulation/twin.h"

namespace tocsin::core::simulation {

struct Audit {
  Store& store;
  const Arrivals& arrivals;
  std::vector<std::string>& faults;

  // `acknowledged` are push ids; `steady` says that its job never stopped nor said down.
  void Check(const Twin& twin, const std::set<uint64_t>& acknowledged, bool steady) const;
  // Every delivery arrived.
  void CheckDeliveries() const;

 private:
  void CheckHeartbeats(const Twin& twin, const std::set<uint64_t>& acknowledged) const;
  // Every incident but those that were held back to their end is told once and ends once.
  void CheckIncidents(const Twin& twin, const std::vector<AlertEvent>& events) const;
  // Those of the monitor, by sequence.
  std::vector<AlertEvent> CheckEvents(const Twin& twin) const;
  void CheckEventDeliveries(const Twin& twin, const std::vector<AlertEvent>& events) const;
  void CheckOrder(const Twin& twin) const;
  std::string Story(const Twin& twin, const std::vector<AlertEvent>& events) const;
  std::vector<Delivery> Deliveries() const;
  void Fault(const Twin& twin, const std::string& what) const;
};

}  // namespace tocsin::core::simulation
