// How many webhooks a second the notifier delivers from a core that only assigns to a receiver
// that only answers, and what dead receivers do to a healthy one.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/clock.h"
#include "common/log.h"
#include "services/notifier/metrics.h"
#include "services/notifier/notifier.h"
#include "services/notifier/stream/testing/fake_core.h"
#include "services/notifier/testing/local_receiver.h"

namespace tocsin::notifier {
namespace {

struct Bench {
  explicit Bench(LocalReceiver::Handler handler) : receiver(std::move(handler)) {
    InitLogging({.service = "bench", .level = LogLevel::kError});
    NotifierOptions options;
    options.client.core_addresses = {core.address()};
    options.http.addresses = AddressPolicy(/*allow_private=*/true, {});
    notifier = std::make_unique<Notifier>(options, clock, monotonic, metrics);
  }

  SystemClock clock;
  SystemMonotonicClock monotonic;
  prometheus::Registry registry;
  NotifierMetrics metrics{registry};
  FakeCore core;
  LocalReceiver receiver;
  std::unique_ptr<Notifier> notifier;
};

// `range(0)` channels share the deliveries.
void BM_Throughput(benchmark::State& state) {
  constexpr int kDeliveries = 20'000;
  Bench bench([](const LocalReceiver::Request&) { return LocalReceiver::Response(); });
  size_t reported = 0;
  for (auto _ : state) {
    for (int i = 0; i < kDeliveries; ++i) {
      bench.core.Assign(MakeAssignment(absl::StrCat("msg_", i),
                                       absl::StrCat("channel_", i % state.range(0)),
                                       bench.receiver.Url(), bench.clock.Now()));
    }
    reported += kDeliveries;
    while (!bench.core.WaitForReports(reported)) {
    }
  }
  state.SetItemsProcessed(state.iterations() * kDeliveries);
}
BENCHMARK(BM_Throughput)->Arg(1)->Arg(100)->Unit(benchmark::kMillisecond)->UseRealTime();

// From assignment to receipt at a healthy receiver, one after another, with `range(0)` dead
// receivers that are given deliveries all the time.
void BM_LatencyBesideDeadReceivers(benchmark::State& state) {
  absl::Mutex mutex;
  std::vector<absl::Duration> latencies;
  absl::Duration assigned_at;
  Bench bench([&](const LocalReceiver::Request& request) {
    LocalReceiver::Response response;
    if (request.path != "/healthy") {
      response.hang = true;
      return response;
    }
    absl::MutexLock lock(&mutex);
    latencies.push_back(SystemMonotonicClock().Now() - assigned_at);
    return response;
  });
  const int64_t dead = state.range(0);
  int64_t n = 0;
  for (auto _ : state) {
    if (dead > 0 && n % 10 == 0) {
      bench.core.Assign(MakeAssignment(absl::StrCat("dead_", n),
                                       absl::StrCat("dead_", n / 10 % dead),
                                       bench.receiver.Url("/dead"), bench.clock.Now()));
    }
    size_t before;
    {
      absl::MutexLock lock(&mutex);
      assigned_at = bench.monotonic.Now();
      before = latencies.size();
    }
    bench.core.Assign(MakeAssignment(absl::StrCat("msg_", n), "healthy",
                                     bench.receiver.Url("/healthy"), bench.clock.Now()));
    absl::MutexLock lock(&mutex);
    const auto came = [&] { return latencies.size() > before; };
    mutex.Await(absl::Condition(&came));
    ++n;
  }
  std::sort(latencies.begin(), latencies.end());
  state.counters["p50_us"] = absl::ToDoubleMicroseconds(latencies[latencies.size() / 2]);
  state.counters["p99_us"] = absl::ToDoubleMicroseconds(latencies[latencies.size() * 99 / 100]);
}
BENCHMARK(BM_LatencyBesideDeadReceivers)->Arg(0)->Arg(100)->Iterations(5000)->UseRealTime();

}  // namespace
}  // namespace tocsin::notifier

BENCHMARK_MAIN();
