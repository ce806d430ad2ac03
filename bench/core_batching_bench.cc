// What a steady push costs core besides PostgreSQL: its group is divided, and it goes through the
// recorder's queues, a committer and back.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/clock.h"
#include "common/status_macros.h"
#include "services/core/engine/metrics.h"
#include "services/core/engine/push_group.h"
#include "services/core/engine/push_recorder.h"
#include "services/core/store/memory/memory_store.h"

namespace tocsin::core {
namespace {

constexpr uint32_t kMonitors = 10'000;

// Scattered, as hashes are.
TokenHash Token(uint32_t number) {
  TokenHash token = {};
  const uint64_t scattered = number * 0x9E3779B97F4A7C15u;
  std::memcpy(token.data(), &scattered, sizeof(scattered));
  return token;
}

PushItem Item(uint32_t number, uint64_t push_id, absl::Time at) {
  PushItem item;
  item.token = Token(number % kMonitors);
  item.heartbeat.kind = HeartbeatKind::kUp;
  item.heartbeat.at = at;
  item.heartbeat.push_id = push_id;
  item.heartbeat.source = Source::kHttp;
  return item;
}

// `range(0)` pushes of different monitors.
void BM_DivideGroup(benchmark::State& state) {
  const absl::Time now = SystemClock().Now();
  TokenCache cache(kMonitors);
  for (uint32_t i = 0; i < kMonitors; ++i) {
    CachedToken token;
    token.monitor = i + 1;
    cache.Put(Token(i), token);
  }
  std::vector<QueuedPush> entries(static_cast<size_t>(state.range(0)));
  for (size_t i = 0; i < entries.size(); ++i) {
    entries[i].item = Item(static_cast<uint32_t>(i * 7919), i + 1, now);
    entries[i].begun = absl::Hours(1);
  }
  std::vector<SteadyCandidate> steady;
  std::vector<QueuedPush*> full;
  for (auto _ : state) {
    steady.clear();
    full.clear();
    DivideGroup(entries, cache, now, absl::Hours(1), steady, full);
    benchmark::DoNotOptimize(steady.data());
  }
  if (!full.empty()) state.SkipWithError("not every push was steady");
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_DivideGroup)->Arg(1)->Arg(10)->Arg(100)->Arg(500)->Arg(1000);

// Takes steady pushes without storing them: what is left is the recorder's own work.
class ForgetfulStore : public MemoryStore {
 public:
  using MemoryStore::MemoryStore;

  absl::StatusOr<std::vector<MonitorKey>> RecordSteadyUps(int, absl::Span<const SteadyUp> newest,
                                                          absl::Span<const SteadyUp>) override {
    std::vector<MonitorKey> recorded;
    recorded.reserve(newest.size());
    for (const SteadyUp& up : newest) recorded.push_back(up.monitor);
    return recorded;
  }

  // Monitors that are UP, with the tokens 0 to kMonitors - 1.
  absl::Status AddMonitors(absl::Time now) {
    return Transact(TransactionClass::kAdmin, [&](Transaction& transaction) -> absl::Status {
      for (uint32_t i = 0; i < kMonitors; ++i) {
        Monitor monitor;
        monitor.definition.project = 1;
        monitor.definition.project_id = "default";
        monitor.definition.id = std::to_string(i);
        monitor.definition.schedule.timeout = absl::Hours(1);
        monitor.definition.schedule.recommended_interval = absl::Hours(1);
        monitor.state.state = State::kUp;
        monitor.state.last_at = now;
        ASSIGN_OR_RETURN(const MonitorIdentity identity,
                         transaction.InsertMonitor(monitor, absl::InfiniteFuture()));
        RETURN_IF_ERROR(transaction.AddToken(identity.key, Token(i), now));
      }
      return absl::OkStatus();
    });
  }
};

// Batches of `range(0)`, four of them under way.
void BM_Record(benchmark::State& state) {
  constexpr int kUnderWay = 4;
  const SystemClock clock;
  const SystemMonotonicClock monotonic;
  prometheus::Registry registry;
  RecorderMetrics metrics(registry);
  ForgetfulStore store(clock);
  if (!store.AddMonitors(clock.Now()).ok()) return state.SkipWithError("no monitors");
  PushRecorder recorder(store, clock, monotonic, {}, metrics);
  recorder.Start();

  uint64_t pushes = 0;
  std::atomic<uint64_t> refused = 0;  // counted by both committers
  const auto submit = [&](absl::Notification& done) {
    std::vector<PushItem> batch;
    for (int64_t i = 0; i < state.range(0); ++i) {
      ++pushes;
      batch.push_back(Item(static_cast<uint32_t>(pushes), pushes, clock.Now()));
    }
    recorder.Submit(std::move(batch), [&](const std::vector<PushAnswer>& answers) {
      for (const PushAnswer& answer : answers) refused += answer.result != PushResult::kRecorded;
      done.Notify();
    });
  };
  const auto record = [&] {
    absl::Notification done[kUnderWay];
    for (absl::Notification& one : done) submit(one);
    for (absl::Notification& one : done) one.WaitForNotification();
  };
  while (pushes < kMonitors) record();  // until every token is known
  const uint64_t before = pushes;
  for (auto _ : state) record();
  if (refused > 0) state.SkipWithError("a push was not recorded");
  state.SetItemsProcessed(static_cast<int64_t>(pushes - before));
}
BENCHMARK(BM_Record)->Arg(1)->Arg(10)->Arg(100)->Arg(500)->UseRealTime();

}  // namespace
}  // namespace tocsin::core

BENCHMARK_MAIN();
