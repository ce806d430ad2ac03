// Lends sessions, the one used last first.
#include "services/core/store/pg/session_pool.h"

#include <utility>

namespace tocsin::core::pg {

SessionPool::SessionPool(int size, const SessionOptions& options, Watchdog& watchdog,
                         ChangeLogger& log) {
  for (int i = 0; i < size; ++i) {
    free_.push_back(std::make_unique<Session>(options, watchdog, log));
  }
}

SessionPool::Lease::~Lease() {
  if (session_ != nullptr) pool_->GiveBack(std::move(session_));
}

absl::StatusOr<SessionPool::Lease> SessionPool::Take(absl::Duration patience) {
  absl::MutexLock lock(&mutex_);
  if (!mutex_.AwaitWithTimeout(absl::Condition(this, &SessionPool::HasFree), patience)) {
    return absl::UnavailableError("every database session is busy");
  }
  std::unique_ptr<Session> session = std::move(free_.back());
  free_.pop_back();
  return Lease(*this, std::move(session));
}

void SessionPool::GiveBack(std::unique_ptr<Session> session) {
  absl::MutexLock lock(&mutex_);
  free_.push_back(std::move(session));
}

}  // namespace tocsin::core::pg
