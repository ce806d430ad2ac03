// Simulated notifiers and the receivers that they send to.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/clock.h"
#include "services/core/engine/delivery_queue.h"

namespace tocsin::core::simulation {

// What arrived at the receivers, in order.
struct Arrivals {
  std::map<std::pair<MonitorKey, ChannelKey>, std::vector<int64_t>> sequences;
  std::set<std::string> deliveries;  // by id
};

// One notifier: takes leases from one core at a time, sends, reports to whichever core it has, and
// now and then vanishes with all it knows. It never sends after its lease has expired.
class Notifier {
 public:
  // Both must outlive it.
  Notifier(std::string name, uint64_t seed, const Clock& clock, Arrivals& arrivals);

  // A core that it may connect to; null: none now. Only asked where it has none.
  using FindCore = std::function<DeliveryQueue*()>;
  void RunDue(const FindCore& find);
  absl::Time NextDue() const;
  // The core is gone: what it was told may be lost.
  void Lose(const DeliveryQueue& core);
  // From now on it works, and so do the receivers.
  void BehaveWell() { well_ = true; }

 private:
  struct Held {
    std::string lease_id;
    std::string delivery_id;
    ChannelKey channel = 0;
    std::map<MonitorKey, int64_t> newest;  // the sequence of the newest event that it tells of each
    absl::Time send_at;
  };

  bool Chance(int percent);
  absl::Duration Between(int64_t low_millis, int64_t high_millis);
  void Take(std::vector<LeasedDelivery> leased);
  // False: it vanished.
  bool Send(const Held& held);
  void Vanish();

  const std::string name_;
  std::mt19937_64 random_;
  const Clock& clock_;
  Arrivals& arrivals_;
  bool well_ = false;
  DeliveryQueue* core_ = nullptr;
  DeliveryQueue::StreamId stream_ = 0;
  absl::Time connects_at_ = absl::InfinitePast();
  std::vector<Held> held_;
  std::vector<DeliveryReport> reports_;  // not given to a core yet
};

}  // namespace tocsin::core::simulation
