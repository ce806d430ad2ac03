// tocsin-core: flags → options → wiring.
#include <cstdio>

#include "common/build_info.h"
#include "common/locks.h"
#include "common/log.h"
#include "common/shutdown.h"
#include "services/core/options.h"
#include "services/core/server.h"

namespace tocsin::core {
namespace {

int Main(int argc, char** argv) {
  OptionFaults faults;
  const Options options = ReadOptions(argc, argv, faults);
  if (!faults.ok()) {
    std::fprintf(stderr, "%s\n", std::string(faults.ToStatus().message()).c_str());
    return 1;
  }
  if (options.validate_only) {
    std::puts("The options are valid.");
    return 0;
  }
  const Shutdown shutdown;
  TrustLocks();
  InitLogging(options.log);
  Server server(options, shutdown);
  const absl::Status started = server.Start();
  if (shutdown.requested()) {
    LogInfo("draining");
    server.Stop();
    LogInfo("stopped");
    return 0;
  }
  if (!started.ok()) {
    LogError("start_failed", {{"error", started}});
    server.Stop();
    return 1;
  }
  if (options.migrate_only) {
    LogInfo("migrated");
    return 0;
  }
  LogInfo("started", {{"version", Version()},
                      {"address", options.listen.host},
                      {"port", server.port()},
                      {"admin_port", server.admin_port()}});
  shutdown.Wait();
  LogInfo("draining");
  server.Stop();
  LogInfo("stopped");
  return 0;
}

}  // namespace
}  // namespace tocsin::core

int main(int argc, char** argv) { return tocsin::core::Main(argc, argv); }
