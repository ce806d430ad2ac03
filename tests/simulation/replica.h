// One replica of core without its processes' edges: the engine wired as services/core/server.cc
// wires it, whose periodic tasks run when virtual time comes to them.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "prometheus/registry.h"
#include "services/core/engine/delivery_queue.h"
#include "services/core/engine/maintenance_admin.h"
#include "services/core/engine/metrics.h"
#include "services/core/engine/monitor_admin.h"
#include "services/core/engine/outage_guard.h"
#include "services/core/engine/push_recorder.h"
#include "services/core/engine/sweeper.h"
#include "services/core/store/store.h"

namespace tocsin::core::simulation {

// For one thread. The recorder has its own, but one push or touch at a time is under way, so the
// same inputs give the same results. The destructor is the end of the process: nothing is saved.
class Replica {
 public:
  // Touches and sweeps for the first time when RunDue is called. All must outlive it.
  Replica(Store& store, const Clock& clock, const MonotonicClock& monotonic, std::string instance,
          MonitorAdmin::TokenSource tokens);
  ~Replica();

  // Runs the tasks that are due, each again after the rest that it asks for.
  void RunDue();
  // When RunDue has something to do next.
  absl::Time NextDue() const;
  // What the listener of the database would tell it.
  void Wake(const News& news);

  // Blocks until it is answered. The store must not be away: the recorder would try again for as
  // long as its clock stands still.
  PushAnswer Push(PushItem item);
  // The process is killed with a push under way; nobody hears the answer, which is returned.
  PushAnswer PushAndStop(PushItem item);

  // Time up to `until` passed with a touch every half second, awake, and with nothing else: leaves
  // what the last of them would have left. Only where nothing is due and the store is there.
  void LiveQuietly(absl::Time until);

  // A gateway gives signs of life from then on, until it leaves.
  void GatewayComes();
  void GatewayLeaves();

  OutageGuard& guard() { return guard_; }
  MonitorAdmin& monitors() { return monitors_; }
  MaintenanceAdmin& maintenances() { return maintenances_; }
  DeliveryQueue& deliveries() { return deliveries_; }

 private:
  struct Task {
    std::function<absl::Duration()> run;
    absl::Time due;
  };
  enum : size_t { kAwake, kTouch, kSweep, kReports, kDeliveries, kTell, kTasks };

  std::vector<PushAnswer> Submit(PushItem item, bool stop);

  Store& store_;
  const Clock& clock_;
  const std::string instance_;
  prometheus::Registry registry_;
  RecorderMetrics recorder_metrics_{registry_};
  GuardMetrics guard_metrics_{registry_};
  SweeperMetrics sweeper_metrics_{registry_};
  DeliveryMetrics delivery_metrics_{registry_};
  PushRecorder recorder_;
  OutageGuard guard_;
  Sweeper sweeper_;
  DeliveryQueue deliveries_;
  MonitorAdmin monitors_;
  MaintenanceAdmin maintenances_;
  std::array<Task, kTasks> tasks_;
  bool has_gateway_ = false;
};

}  // namespace tocsin::core::simulation
