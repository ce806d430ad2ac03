// tocsin-gateway: flags → options → wiring.
#include <cstdint>
#include <cstdio>
#include <string>

#include "common/build_info.h"
#include "common/clock.h"
#include "common/locks.h"
#include "common/log.h"
#include "common/shutdown.h"
#include "gateway/descriptors.h"
#include "gateway/gateway.h"
#include "gateway/options.h"

namespace tocsin::gateway {
namespace {

int Main(int argc, char** argv) {
  OptionFaults faults;
  Options options = ReadOptions(argc, argv, faults);
  if (!faults.ok()) {
    std::fprintf(stderr, "%s\n", std::string(faults.ToStatus().message()).c_str());
    return 1;
  }
  if (options.validate_only) {
    std::puts("The options are valid.");
    return 0;
  }
  Shutdown shutdown;
  TrustLocks();
  InitLogging(options.log);
  const uint64_t descriptors = RaiseDescriptorLimit();
  const int connections =
      FittingConnections(options.http.max_connections, descriptors, options.http.threads);
  if (connections < options.http.max_connections) {
    LogInfo("max_connections_lowered", {{"asked", options.http.max_connections},
                                        {"connections", connections},
                                        {"open_files_limit", descriptors}});
    options.http.max_connections = connections;
  }
  const SystemClock clock;
  const SystemMonotonicClock monotonic;
  auto gateway = Gateway::Start(options, clock, monotonic);
  if (!gateway.ok()) {
    LogError("start_failed", {{"error", gateway.status()}});
    return 1;
  }
  LogInfo("started", {{"version", Version()},
                      {"address", options.http.address},
                      {"port", (*gateway)->port()},
                      {"admin_port", (*gateway)->admin_port()},
                      {"threads", options.http.threads}});
  shutdown.Wait();
  LogInfo("draining", {{"delay", options.drain_delay}});
  if (!(*gateway)->Drain(options.drain_delay, options.drain_timeout)) {
    LogWarning("drain_incomplete");
  }
  gateway->reset();
  LogInfo("stopped");
  return 0;
}

}  // namespace
}  // namespace tocsin::gateway

int main(int argc, char** argv) { return tocsin::gateway::Main(argc, argv); }
