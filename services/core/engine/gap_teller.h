// Tells people of own outages.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "services/core/domain/delivery.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// Thread-safe.
class GapTeller {
 public:
  // `retry_time`: for how long nothing is judged after a gap. The others must outlive it.
  GapTeller(Store& store, const Clock& clock, absl::Duration retry_time);

  // Tells each gap that postponed or excused something once, by one replica: `system.blind` to the
  // default channels of each project, before the hold on judging after it ends; call it at least
  // every two seconds. Untold gaps that overlap are told as one,
  // and what was shed within five minutes is. Bounded: where
  // there are very many monitors, later calls go on where this one ended.
  absl::Status Tell();

  // Tells once, by one replica, that no gateway is heard since `since`: `system.blind` without an
  // end to the default channels of each project with monitors that are heard over HTTP. When that
  // ends, Tell tells these projects so, whatever it postponed. Nobody, when one was heard since.
  absl::Status TellSilence(absl::Time since);

 private:
  // Those whom an untold group of gaps touches, as far as they were counted.
  struct Telling {
    std::vector<int64_t> gaps;  // keys; empty: nothing is being told
    MonitorKey after = 0;
    std::map<ProjectKey, BlindNotice> notices;
  };

  // One page of what is to be told; OK with no gaps in `telling` when nothing is left.
  absl::Status TellPage(Transaction& transaction, absl::Time now, Telling& telling);

  Store& store_;
  const Clock& clock_;
  const absl::Duration retry_time_;
  absl::Mutex mutex_;
  Telling telling_ ABSL_GUARDED_BY(mutex_);
  absl::Time silence_told_ ABSL_GUARDED_BY(mutex_) =
      absl::InfinitePast();  // the newest, by anybody
};

}  // namespace tocsin::core
