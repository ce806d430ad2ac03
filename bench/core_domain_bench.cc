// What one decision of the state machine costs, and the deadline formula that it shares.
#include <benchmark/benchmark.h>

#include <utility>

#include "services/core/domain/deadline.h"
#include "services/core/domain/testing/builders.h"
#include "services/core/domain/transition.h"

namespace tocsin::core {
namespace {

using testing::CoreGap;
using testing::DownAt;
using testing::MinuteMonitor;
using testing::Second;
using testing::UpAt;
using testing::UpSince;

// `count` own outages of 5 s, one every 10 minutes, the last one long before second 0.
GapList OldGaps(int64_t count) {
  GapList gaps;
  for (int64_t i = count; i > 0; --i) {
    const absl::Time start = Second(-600.0 * static_cast<double>(i));
    gaps.push_back(CoreGap(start, start + absl::Seconds(5)));
  }
  return gaps;
}

void Decides(benchmark::State& state, const MonitorState& before, const Input& input,
             absl::Time now) {
  const MonitorDefinition definition = MinuteMonitor();
  const GapList gaps = OldGaps(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(Decide(definition, before, input, gaps, now));
  }
}

void BM_SteadyUp(benchmark::State& state) {
  Decides(state, UpSince(Second(0)), HeartbeatArrived{UpAt(Second(30))}, Second(30));
}
BENCHMARK(BM_SteadyUp)->Arg(0)->Arg(100);

void BM_ReportedDown(benchmark::State& state) {
  Decides(state, UpSince(Second(0)), HeartbeatArrived{DownAt(Second(30))}, Second(30));
}
BENCHMARK(BM_ReportedDown)->Arg(0);

void BM_MissedDeadline(benchmark::State& state) {
  Decides(state, UpSince(Second(0)), DeadlineChecked{}, Second(61));
}
BENCHMARK(BM_MissedDeadline)->Arg(0)->Arg(100);

void BM_NotDueYet(benchmark::State& state) {
  Decides(state, UpSince(Second(0)), DeadlineChecked{}, Second(30));
}
BENCHMARK(BM_NotDueYet)->Arg(0)->Arg(100);

void BM_DeadlineOf(benchmark::State& state) {
  const MonitorDefinition definition = MinuteMonitor();
  const MonitorState up = UpSince(Second(0));
  const GapList gaps = OldGaps(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(DeadlineOf(definition, up, gaps));
}
BENCHMARK(BM_DeadlineOf)->Arg(0)->Arg(100);

}  // namespace
}  // namespace tocsin::core

BENCHMARK_MAIN();
