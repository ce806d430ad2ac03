// How a program's locks behave.
#include "common/locks.h"

#include "absl/synchronization/mutex.h"

namespace tocsin {

void TrustLocks() {
#ifdef NDEBUG
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
}

}  // namespace tocsin
