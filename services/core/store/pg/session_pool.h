// A bounded set of alike sessions, lent one at a time.
#pragma once

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/store/pg/session.h"

namespace tocsin::core::pg {

// Thread-safe. Sessions connect when first used.
class SessionPool {
 public:
  SessionPool(int size, const SessionOptions& options, Watchdog& watchdog, ChangeLogger& log);

  // A session of the pool, given back when this is destroyed.
  class Lease {
   public:
    Lease(SessionPool& pool, std::unique_ptr<Session> session)
        : pool_(&pool), session_(std::move(session)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    Session* operator->() { return session_.get(); }
    Session& operator*() { return *session_; }

   private:
    SessionPool* pool_;
    std::unique_ptr<Session> session_;
  };

  // Waits up to `patience` for a free session, then UNAVAILABLE. The one used last comes first,
  // so that an idle process keeps few of them warm.
  absl::StatusOr<Lease> Take(absl::Duration patience = absl::Seconds(5));

 private:
  void GiveBack(std::unique_ptr<Session> session);
  bool HasFree() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !free_.empty(); }

  absl::Mutex mutex_;
  std::vector<std::unique_ptr<Session>> free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tocsin::core::pg
