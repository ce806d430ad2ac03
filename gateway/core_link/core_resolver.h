// Finds the replicas of core: names are looked up again and again, off the io threads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/flags.h"
#include "common/periodic_task.h"

namespace tocsin::gateway {

// The gRPC addresses ("ipv4:192.0.2.1:7000", "ipv6:[2001:db8::1]:7000") of one host and port.
// Blocks while the system resolver works. UNAVAILABLE when it finds nothing.
absl::StatusOr<std::vector<std::string>> LookUp(const HostPort& address);

class CoreResolver {
 public:
  using LookUpFunction = std::function<absl::StatusOr<std::vector<std::string>>(const HostPort&)>;
  using Listener = std::function<void(const std::vector<std::string>&)>;

  // Looks `addresses` up at once and then every `interval`, and tells `listener` (on the
  // resolver's thread) the sorted union whenever it changes. A name that cannot be looked up keeps
  // the addresses that it had.
  CoreResolver(std::vector<HostPort> addresses, absl::Duration interval, Listener listener,
               LookUpFunction look_up = LookUp);
  // No call of the listener is under way or will be made afterwards.
  ~CoreResolver();

 private:
  void Tick();

  const std::vector<HostPort> addresses_;
  const Listener listener_;
  const LookUpFunction look_up_;
  std::vector<std::vector<std::string>> found_;  // for each of addresses_
  std::vector<bool> failing_;
  std::vector<std::string> told_;
  std::unique_ptr<PeriodicTask> task_;  // last: uses all else
};

}  // namespace tocsin::gateway
