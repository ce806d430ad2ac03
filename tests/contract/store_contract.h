// What the contract tests share: every test runs the same on every store.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// Where a test gets an empty store, with nothing in it but the project "default".
struct StoreKind {
  const char* name;
  std::unique_ptr<Store> (*make)();
};
std::vector<StoreKind> AllStores();
std::string StoreKindName(const testing::TestParamInfo<StoreKind>& info);

class StoreContract : public testing::TestWithParam<StoreKind> {
 protected:
  StoreContract() : store_(GetParam().make()) {}

  Store& store() { return *store_; }
  ProjectKey project() { return store().FindProject("default").value().value(); }

  // Runs `body` in a transaction that must succeed.
  void Do(absl::FunctionRef<absl::Status(Transaction&)> body);

  // A monitor that is UP since kStart, swept at `sweep_at`, with the token of its id.
  Monitor UpMonitor(const std::string& id);
  MonitorIdentity Add(const Monitor& monitor, absl::Time sweep_at = absl::InfiniteFuture());
  // Adds UpMonitor(id).
  MonitorIdentity AddUp(const std::string& id);
  // Definition and state of one monitor.
  Monitor Load(MonitorKey key);
  void Save(const StateChange& change);

  Channel MakeChannel(const std::string& id);
  ChannelKey AddChannel(const std::string& id);
  Channel LoadChannel(const std::string& id);

  // An open incident of the monitor with its FIRING event.
  struct Outage {
    Incident incident;
    EventKey firing = 0;
  };
  Outage Open(const MonitorIdentity& monitor, int64_t sequence, absl::Time at);
  AlertEvent MakeEvent(const Monitor& monitor, const Incident& incident, EventType type,
                       int64_t sequence, absl::Time at);
  // A pending delivery that is due at `at`.
  Delivery MakeDelivery(const std::string& id, ChannelKey channel, MonitorKey monitor,
                        int64_t sequence, absl::Time at);
  void AddDelivery(const Delivery& delivery);
  // At most two of a failing channel.
  std::vector<LeasedDelivery> Lease(absl::Time now, int limit = 100, int per_channel = 100,
                                    const std::string& lease_id = "lease");
  // The delivery as it is listed.
  Delivery Find(const std::string& id);

  static const absl::Time kStart;

 private:
  std::unique_ptr<Store> store_;
};

// The token whose 32 bytes all are `byte`.
TokenHash TokenOf(uint8_t byte);
SteadyUp UpOf(const MonitorIdentity& monitor, absl::Time at, uint64_t push_id);
std::vector<std::string> IdsOf(const std::vector<LeasedDelivery>& leased);

}  // namespace tocsin::core
