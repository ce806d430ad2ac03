// When keys were last used, gathered until somebody writes it down.
#pragma once

#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/domain/keys.h"
#include "services/core/store/store.h"

namespace tocsin::core {

// Thread-safe, and cheap to note in: what is written waits for nobody.
class KeyUses {
 public:
  static constexpr absl::Duration kNotedEvery = absl::Minutes(1);

  // The key was used; at most one use a minute is kept for each.
  void Note(ApiKeyKey key, absl::Time now);
  // The store knows of a use at `at` already.
  void Learn(ApiKeyKey key, absl::Time at);
  // Writes the uses since the last call. Those that cannot be written are dropped.
  absl::Status Write(Store& store, absl::Time now);

 private:
  absl::Mutex mutex_;
  std::map<ApiKeyKey, absl::Time> uses_ ABSL_GUARDED_BY(mutex_);   // to be written
  std::map<ApiKeyKey, absl::Time> noted_ ABSL_GUARDED_BY(mutex_);  // within the last minute
};

}  // namespace tocsin::core
