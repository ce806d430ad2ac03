// The alert events in commit order, for watchers that resume where they were.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/log.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// "EPOCH.POSITION", opaque to users.
std::string FormatCursor(const FeedEnd& place);
// InvalidField("cursor") when it is none of ours.
absl::StatusOr<FeedEnd> ParseCursor(const std::string& cursor);

struct FeedBatch {
  std::vector<FeedEntry> entries;
  int64_t read_to = 0;  // up to there the project has no others
  bool more = false;    // there is more to look at
};

// Thread-safe.
class AlertFeed {
 public:
  explicit AlertFeed(Store& store);

  // Gives positions to committed events and wakes the watchers when there are new ones. Returns
  // how long to rest. Called on news of events and once a second.
  absl::Duration Tick();

  // Where a watcher begins: an empty cursor means the end. UnknownCursor for another epoch.
  absl::StatusOr<FeedEnd> Begin(const std::string& cursor);
  // The next events of the project (0: all) after `place`, at most `limit`, of those that have a
  // position since the last Tick. Looks at a bounded number of others'.
  absl::StatusOr<FeedBatch> Read(ProjectKey project, const FeedEnd& place, int limit);

  // `wake` is called (quickly, on any thread) when there may be more to read.
  uint64_t AddWatcher(std::function<void()> wake);
  // No call is running or will come when it returns. Not from within `wake`.
  void RemoveWatcher(uint64_t watcher);

 private:
  void WakeWatchers();

  Store& store_;
  ChangeLogger log_{"alert_feed"};
  absl::Mutex waking_ ABSL_ACQUIRED_BEFORE(mutex_);  // held while watchers are called
  absl::Mutex mutex_;
  std::map<uint64_t, std::function<void()>> watchers_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  int64_t seen_ ABSL_GUARDED_BY(mutex_) = -1;
};

}  // namespace tocsin::core
