// What waits in a recorder's queues, and how a group of it is divided between the two paths.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "absl/time/time.h"
#include "common/standstills.h"
#include "services/core/engine/push_recorder.h"
#include "services/core/engine/token_cache.h"
#include "services/core/store/records.h"

namespace tocsin::core {

inline constexpr int kPushCommitters = 2;
// The gateways try elsewhere after a second: what has been here for longer than this may have been
// recorded by another core.
inline constexpr absl::Duration kMayBeElsewhere = absl::Milliseconds(800);
inline constexpr StandstillLimits kRecorderStandstills = {.standstill = kMayBeElsewhere,
                                                          .mark_every = PushRecorder::kAwakeEvery};

struct PushBatch {
  std::vector<PushAnswer> answers;  // each written once, by whoever has its item
  std::atomic<size_t> remaining = 0;
  PushRecorder::Done done;
  std::multiset<absl::Duration>::iterator begun;  // among those of the recorder
};

// What waits in the queue: an item of a batch.
struct QueuedPush {
  std::shared_ptr<PushBatch> batch;
  size_t index = 0;
  PushItem item;
  bool tried = false;     // the store was unavailable, or another holds the monitor
  absl::Duration begun;   // monotonic, less the age that the item came with
  uint64_t sequence = 0;  // of arrival; given by the queue
};

// Whether it may take the fast path if its token is known. What was tried in vain takes the full
// path, which does not wait for locks then: one monitor that is held for long must not hold up its
// group.
bool MayBeSteady(const QueuedPush& entry);

// An item that may take the fast path.
struct SteadyCandidate {
  QueuedPush* entry = nullptr;
  CachedToken token;
  bool eligible = false;
};

// The candidate as the store takes it; its text is that of the entry.
SteadyUp SteadyUpOf(const SteadyCandidate& candidate);

// Divides `entries`, which come in order of arrival, into `steady`, which may take the fast path
// (sorted by monitor, time and arrival), and the others, which need the full path. A monitor's
// items are never divided. `monotonic` is the time on the clock of QueuedPush::begun. The results
// point into `entries`.
void DivideGroup(std::vector<QueuedPush>& entries, const TokenCache& cache, absl::Time now,
                 absl::Duration monotonic, std::vector<SteadyCandidate>& steady,
                 std::vector<QueuedPush*>& full);

}  // namespace tocsin::core
