// A few calls at a time.
#include "cli/apply/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace tocsin::cli {

void ForEachAtOnce(size_t count, absl::FunctionRef<bool(size_t)> work) {
  std::atomic<size_t> next = 0;
  std::atomic<bool> stop = false;
  const auto run = [&] {
    while (!stop) {
      const size_t index = next++;
      if (index >= count) return;
      if (!work(index)) stop = true;
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(count, kCallsAtOnce); ++i) threads.emplace_back(run);
  run();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace tocsin::cli
