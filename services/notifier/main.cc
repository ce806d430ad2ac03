// tocsin-notifier: flags → options → wiring.
#include <prometheus/registry.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/admin_server.h"
#include "common/build_info.h"
#include "common/clock.h"
#include "common/locks.h"
#include "common/log.h"
#include "common/process_metrics.h"
#include "common/shutdown.h"
#include "services/notifier/metrics.h"
#include "services/notifier/notifier.h"
#include "services/notifier/options.h"

namespace tocsin::notifier {
namespace {

// Slots for receivers that are slow or failing, for each of --concurrency.
constexpr int kSlowSlots = 16;

NotifierOptions Wiring(const Options& options) {
  NotifierOptions wiring;
  wiring.client.core_addresses = options.core_addresses;
  wiring.client.core_key = options.core_key;
  wiring.client.name = options.name;
  wiring.client.max_assigned = options.max_assigned;
  wiring.courier.request_timeout = options.request_timeout;
  wiring.courier.dispatcher.concurrency = options.concurrency;
  wiring.courier.dispatcher.slow_concurrency = kSlowSlots * options.concurrency;
  wiring.http.addresses = options.addresses;
  wiring.http.user_agent = absl::StrCat("Tocsin/", Version());
  wiring.http.proxy = options.proxy;
  wiring.http.ca_file = options.ca_file;
  return wiring;
}

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
  Shutdown shutdown;
  TrustLocks();
  InitLogging(options.log);
  const SystemClock clock;
  const SystemMonotonicClock monotonic;
  prometheus::Registry registry;
  RegisterBuildInfo(registry, options.log.service);
  ProcessMetrics process_metrics;
  NotifierMetrics metrics(registry);
  Notifier notifier(Wiring(options), clock, monotonic, metrics);
  const auto admin = AdminServer::Start({options.admin_listen.host, options.admin_listen.port},
                                        registry, [&notifier] { return notifier.Ready(); });
  if (!admin.ok()) {
    LogError("start_failed", {{"error", admin.status()}});
    return 1;
  }
  (*admin)->AddMetrics(process_metrics);
  LogInfo("started", {{"version", Version()},
                      {"name", options.name},
                      {"admin_port", (*admin)->port()},
                      {"concurrency", options.concurrency}});
  shutdown.Wait();
  LogInfo("draining", {{"timeout", options.drain_timeout}});
  if (!notifier.Drain(options.drain_timeout)) LogWarning("drain_incomplete");
  LogInfo("stopped");
  return 0;
}

}  // namespace
}  // namespace tocsin::notifier

int main(int argc, char** argv) { return tocsin::notifier::Main(argc, argv); }
